import type { Progress, Task } from "./task";

/** The most that a waiting person learns from; more would fill a job's output. */
const EVERY_MS = 250;

/**
 * Counts bytes and reports them now and then. Call the result with each new number of bytes, and `end` after the last.
 * `expected`: how many there will be, where that is known.
 */
export function byteProgress(
  task: Task,
  message: string,
  expected: Pick<Progress, "totalBytes" | "estimatedBytes">,
): { add(bytes: number): void; end(): void } {
  let doneBytes = 0;
  let reportedAt = -Infinity;
  const report = () => task.progress({ message, doneBytes, ...expected });
  return {
    add(bytes) {
      doneBytes += bytes;
      const now = task.clock.now();
      // A clock that is set back must not silence it.
      if (Math.abs(now - reportedAt) < EVERY_MS) return;
      reportedAt = now;
      report();
    },
    end: report,
  };
}
