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
const PATIENCE_WITH_OURS_MS: Readonly<Record<string, number>> = {
  "leader-not-listening": STARTING_LIMIT_MS,
  "too-many-clients": 60_000,
};
/** Users who take every place are turned away several times a second: one of these attempts comes just after it. */
const CROWDED_PAUSE_MS = 20;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

/**
 * Opens a snapshot of a server; one that is still reading its data, or is held up by a script, is asked again for ten
 * minutes, one that has no link to its leader for half a minute. One of ours is also waited for when it doesn't listen
 * yet, half a minute, and when its users have taken every place, one minute. Says something at least each minute, so
 * that a long wait is told from a job that hangs: a leader that prepares its snapshot is given up after one minute of
 * silence, and each of its signs of life is passed on.
 */
export async function openWhenReady(
  source: CaptureSource,
  task: Task,
  scratchFolder = tmpdir(),
): Promise<Snapshot> {
  let pauseMs = FIRST_PAUSE_MS;
  // Counted, not read from the clock, which may jump.
  for (let waitedMs = 0; ;) {
    let crowded: boolean;
    try {
      return await openSnapshot(source, task, await roomFor(source, scratchFolder));
    } catch (error) {
      if (!(error instanceof Failure) || waitedMs >= patienceFor(error, source)) throw error;
      crowded = error.code === "too-many-clients";
    }
    task.progress({ message: "waiting until the server is ready" });
    const nextMs = crowded ? CROWDED_PAUSE_MS : pauseMs;
    await task.clock.sleep(nextMs, task.signal);
    waitedMs += nextMs;
    if (!crowded) pauseMs = Math.min(LONGEST_PAUSE_MS, pauseMs * 2);
  }
}

/**
 * The agent starts ours, starts them again, and turns users away who take all places; of another one nobody is known
 * who does, so its refusal is the answer.
 */
function patienceFor({ code }: Failure, { dataFolder }: CaptureSource): number {
  const ours = dataFolder !== undefined;
  return (ours ? PATIENCE_WITH_OURS_MS[code] : undefined) ?? PATIENCE_MS[code] ?? 0;
}
