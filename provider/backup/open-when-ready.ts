import { Failure } from "../core/errors";
import type { Task } from "../core/task";
import type { Leader } from "../redis/replication/link";
import { openSnapshot, type Snapshot } from "../redis/replication/snapshot";

/** The largest plan's data are read from a slow disk in less. */
const LOADING_LIMIT_MS = 10 * 60_000;
/** After a start of the machine servers come up, and followers connect, while what was missed is caught up on. */
const STARTING_LIMIT_MS = 30_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;
const BEAT_MS = 60_000;
/** Two hours: a server that hasn't written its snapshot by then never will. */
const MOST_BEATS = 120;

/**
 * Opens a snapshot of a server; one that is still reading its data, or is held up by a script, is asked again for ten
 * minutes, one that doesn't listen yet or has no link to its leader for half a minute. Says something at least each minute, so that a long wait is told from a job that hangs.
 */
export async function openWhenReady(
  source: Leader & { readonly diskless?: boolean | undefined },
  task: Task,
): Promise<Snapshot> {
  let pauseMs = FIRST_PAUSE_MS;
  // Counted, not read from the clock, which may jump.
  for (let waitedMs = 0; ;) {
    const opened = new AbortController();
    void beat(task, AbortSignal.any([opened.signal, task.signal]));
    try {
      return await openSnapshot(source, task, { diskless: source.diskless });
    } catch (error) {
      if (waitedMs >= patienceMs(error)) throw error;
    } finally {
      opened.abort();
    }
    task.progress({ message: "waiting until the server is ready" });
    await task.clock.sleep(pauseMs, task.signal);
    waitedMs += pauseMs;
    pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
  }
}

/** The server tells that it is alive by a newline each second, and is given up otherwise: this may beat meanwhile. */
async function beat(task: Task, signal: AbortSignal): Promise<void> {
  for (let beats = 0; beats < MOST_BEATS; beats++) {
    await task.clock.sleep(BEAT_MS, signal).catch(() => undefined);
    if (signal.aborted) return;
    task.progress({ message: "still waiting for the leader's snapshot" });
  }
}

function patienceMs(error: unknown): number {
  if (!(error instanceof Failure)) return 0;
  if (error.code === "leader-not-ready")
    return / with: (LOADING|BUSY) /.test(error.cause) ? LOADING_LIMIT_MS : STARTING_LIMIT_MS;
  return error.code === "leader-unreachable" && error.cause.includes("ECONNREFUSED") ? STARTING_LIMIT_MS : 0;
}
