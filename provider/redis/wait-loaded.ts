import type { Task } from "../core/task";
import type { RedisClient } from "./client";
import { isSet } from "./info";
import { classifySync, syncStep } from "./sync-status";

const POLL_MS = 100;

/** Waits while a server loads data, its own or its leader's: until then it answers INFO and hardly anything else. */
export async function waitLoaded(client: RedisClient, task: Task): Promise<void> {
  const startedAt = task.clock.now();
  for (;;) {
    task.signal.throwIfAborted();
    const info = await client.info();
    if (!isSet(info, "loading")) return;
    const elapsedSeconds = Math.max(0, Math.floor((task.clock.now() - startedAt) / 1000));
    task.progress({ message: syncStep(classifySync({ follower: info })), elapsedSeconds });
    await task.clock.sleep(POLL_MS, task.signal);
  }
}
