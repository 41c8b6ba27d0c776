import type { AddonRecord } from "../../../core/facets";
import type { Standing } from "../../../core/hand-over";
import type { Task } from "../../../core/task";
import type { HomeLayout } from "../../../platforms/local/home";
import type { RedisClient } from "../../../redis/client";
import { standingOf } from "../../../redis/failover";
import { connectServer } from "../../connections/connect-server";
import { findOwnProcess } from "../../server/find-own-process";

/** Longer than a command that holds a server up should take, much shorter than anybody waits for a switchover. */
const ANSWER_MS = 2_000;

/** The server, as its administrator, for commands that it answers soon or not at all. */
export function connectBriefly(
  record: AddonRecord,
  task: Pick<Task, "signal" | "clock">,
): Promise<RedisClient> {
  const signal = AbortSignal.any([task.signal, AbortSignal.timeout(ANSWER_MS)]);
  return connectServer(record, { ...task, signal });
}

/** How a server stands to its role now. Nothing is started, and nothing is changed. */
export async function standingNow(
  layout: HomeLayout,
  record: AddonRecord,
  task: Pick<Task, "signal" | "clock">,
): Promise<Standing> {
  try {
    await using server = await connectBriefly(record, task);
    return await standingOf(server);
  } catch {
    task.signal.throwIfAborted();
    // Whoever answers on its port otherwise is a stranger: its process tells whether it runs.
    const runs = (await findOwnProcess(layout.addon(record.name))) !== undefined;
    return runs ? "silent" : "down";
  }
}
