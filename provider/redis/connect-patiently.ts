import { Failure } from "../core/errors";
import type { Task } from "../core/task";
import { systemClock } from "../system/clock";
import { connectRedis, type RedisClient, type RedisTarget } from "./client";

/** Users who take every place are turned away several times a second: one of these attempts comes just after it. */
const PAUSE_MS = 20;
const PATIENCE_MS = 5_000;

/** `connectRedis`, which while the server has as many clients as it takes waits for a place that comes free. */
export async function connectPatiently(
  target: RedisTarget,
  task: Pick<Task, "signal"> & Partial<Pick<Task, "clock">>,
  patienceMs = PATIENCE_MS,
): Promise<RedisClient> {
  const { clock = systemClock } = task;
  // Counted, not read from the clock, which may jump.
  for (let waitedMs = 0; ; waitedMs += PAUSE_MS) {
    try {
      return await connectRedis(target, task);
    } catch (error) {
      if (!(error instanceof Failure) || error.code !== "too-many-clients" || waitedMs >= patienceMs)
        throw error;
    }
    await clock.sleep(PAUSE_MS, task.signal);
  }
}
