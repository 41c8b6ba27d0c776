import type { Clock } from "../../provider/core/task";
import { systemClock } from "../../provider/system/clock";

interface Sleeper {
  readonly wakesAt: number;
  wake(): void;
}

/** A clock that stands still until a test moves it; whoever sleeps wakes when its time has come. */
export interface MovedClock extends Clock {
  /** Moves it, and gives everybody a turn. */
  advance(ms: number): Promise<void>;
  /** Sets it, as a person or a time server would: those who sleep go on sleeping for as long as before. */
  set(now: number): void;
  /** How often somebody has gone to sleep for so long: a loop that pauses for that has come round so often. */
  pauses(ms: number): number;
}

export function movedClock(start: number): MovedClock {
  let now = start;
  /** Of the time that passes, which no setting of the clock changes. */
  let passed = 0;
  const sleepers = new Set<Sleeper>();
  const paused = new Map<number, number>();
  return {
    now: () => now,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        signal?.throwIfAborted();
        paused.set(ms, (paused.get(ms) ?? 0) + 1);
        const sleeper = {
          wakesAt: passed + ms,
          wake: () => {
            end();
            resolve();
          },
        };
        const abort = (): void => {
          end();
          reject(signal?.reason as Error);
        };
        const end = (): void => {
          sleepers.delete(sleeper);
          signal?.removeEventListener("abort", abort);
        };
        sleepers.add(sleeper);
        signal?.addEventListener("abort", abort, { once: true });
      }),
    advance: async (ms) => {
      now += ms;
      passed += ms;
      for (const sleeper of [...sleepers]) if (sleeper.wakesAt <= passed) sleeper.wake();
      await systemClock.sleep(1);
    },
    set: (at) => {
      now = at;
    },
    pauses: (ms) => paused.get(ms) ?? 0,
  };
}
