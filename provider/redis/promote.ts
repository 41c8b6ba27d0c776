import { Failure } from "../core/errors";
import type { Task } from "../core/task";
import type { RedisClient } from "./client";
import { lastLoadFailed } from "./last-load";
import { isSet, numberIn, type Info } from "./info";
import { isDurable, unappliedBytes } from "./sync-status";

const POLL_MS = 50;
/** For what has arrived to be applied: a matter of milliseconds, unless the last command was cut short. */
const APPLY_DEADLINE_MS = 10_000;

interface Promotion {
  /** The last byte of its leader's history that it holds. */
  readonly finalOffset: number;
}

/** Makes a follower a leader with all that it received, and returns once a kill -9 could not undo it. */
export async function promote(
  client: RedisClient,
  task: Task,
  { name = client.subject, deadlineMs }: { name?: string; deadlineMs: number },
): Promise<Promotion> {
  const promotion = await stopFollowing(client, task, name);
  await waitDurable(client, task, { name, operation: "promote", deadlineMs });
  return promotion;
}

/**
 * The first half of a promotion: everything received is applied, then REPLICAOF NO ONE. Already a leader: nothing.
 * Refused (`loading`, `load-failed`) where it would destroy data. The server is a leader afterwards, but a restart
 * may still bring old data back: `waitDurable`.
 */
export async function stopFollowing(
  client: RedisClient,
  task: Task,
  name = client.subject,
): Promise<Promotion> {
  const before = await applied(client, task, name);
  if (before.get("role") !== "slave") return { finalOffset: numberIn(before, "master_repl_offset") ?? 0 };
  await client.command("REPLICAOF", "NO", "ONE");
  const after = await client.info();
  // The old history is valid up to here; the new one may have moved on already.
  const end = numberIn(after, "second_repl_offset");
  return {
    finalOffset: end !== undefined && end > 0 ? end - 1 : (numberIn(after, "master_repl_offset") ?? 0),
  };
}

/** Waits until all that a server has would survive a kill -9. */
export async function waitDurable(
  client: RedisClient,
  task: Task,
  options: { name?: string; operation: string; deadlineMs: number },
): Promise<void> {
  const { name = client.subject, operation, deadlineMs } = options;
  const startedAt = task.clock.now();
  let said = false;
  for (;;) {
    task.signal.throwIfAborted();
    const info = await client.info();
    if (isDurable(info)) return;
    if (!said) task.progress({ message: "writing the data to disk" });
    said = true;
    if (task.clock.now() - startedAt >= deadlineMs)
      throw new Failure({
        code: "not-durable",
        operation,
        subject: name,
        cause:
          info.get("aof_last_bgrewrite_status") === "ok"
            ? "its data are not completely on disk yet"
            : "its data can't be written to disk",
        hint: "Look for a full disk in the server's log; a restart before that would bring older data back",
        transient: true,
      });
    await task.clock.sleep(POLL_MS, task.signal);
  }
}

async function applied(client: RedisClient, task: Task, name: string): Promise<Info> {
  const startedAt = task.clock.now();
  for (;;) {
    task.signal.throwIfAborted();
    const info = await client.info();
    if (info.get("role") !== "slave") return info;
    await refuseIfLosing(client, info, name);
    // A command that was cut short stays unapplied for ever: it was never acknowledged as a whole.
    const waited = task.clock.now() - startedAt >= APPLY_DEADLINE_MS;
    if (unappliedBytes(info) === 0 || waited) return info;
    await task.clock.sleep(POLL_MS, task.signal);
  }
}

async function refuseIfLosing(client: RedisClient, info: Info, name: string): Promise<void> {
  if (isSet(info, "loading"))
    throw new Failure({
      code: "loading",
      operation: "promote",
      subject: name,
      cause: "it is loading data, and would be a leader of a part of them",
      hint: "Try again when it has finished",
      transient: true,
    });
  if (!(await lastLoadFailed(client, info))) return;
  throw new Failure({
    code: "load-failed",
    operation: "promote",
    subject: name,
    cause: "the last load of its leader's snapshot failed, so its memory is empty",
    hint: "Restart its server instead: the data from before are still on its disk",
  });
}
