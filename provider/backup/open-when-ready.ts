import { tmpdir } from "node:os";
import { Failure } from "../core/errors";
import type { Task } from "../core/task";
import { openSnapshot, type Snapshot } from "../redis/replication/snapshot";
import { roomFor } from "./room";
import type { CaptureSource } from "./source";

/** The largest plan's data are read from a slow disk in less. */
const LOADING_LIMIT_MS = 10 * 60_000;
/** After a start of the machine servers come up, and followers connect, while what was missed is caught up on. */
const STARTING_LIMIT_MS = 30_000;
const PATIENCE_MS: Readonly<Record<string, number>> = {
  "leader-loading": LOADING_LIMIT_MS,
  "leader-busy": LOADING_LIMIT_MS,
  "leader-without-link": STARTING_LIMIT_MS,
};
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Opens a snapshot of a server; one that is still reading its data, or is held up by a script, is asked again for ten
 * minutes, one that has no link to its leader for half a minute, and so is one of ours that doesn't listen yet. Says something at least each
 * minute, so that a long wait is told from a job that hangs: a leader that prepares its snapshot is given up after one
 * minute of silence, and each of its signs of life is passed on.
 */
export async function openWhenReady(
  source: CaptureSource,
  task: Task,
  scratchFolder = tmpdir(),
): Promise<Snapshot> {
  let pauseMs = FIRST_PAUSE_MS;
  // Counted, not read from the clock, which may jump.
  for (let waitedMs = 0; ;) {
    try {
      return await openSnapshot(source, task, await roomFor(source, scratchFolder));
    } catch (error) {
      const patienceMs = error instanceof Failure ? patienceFor(error, source) : 0;
      if (waitedMs >= patienceMs) throw error;
    }
    task.progress({ message: "waiting until the server is ready" });
    await task.clock.sleep(pauseMs, task.signal);
    waitedMs += pauseMs;
    pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
  }
}

/** The agent starts ours and starts them again; nobody is known to start another one, so its refusal is the answer. */
function patienceFor({ code }: Failure, { dataFolder }: CaptureSource): number {
  if (code === "leader-not-listening") return dataFolder === undefined ? 0 : STARTING_LIMIT_MS;
  return PATIENCE_MS[code] ?? 0;
}
