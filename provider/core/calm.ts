import type { Progress, Task } from "./task";

/** The most that a waiting person learns from; more would fill a job's output. */
const EVERY_MS = 250;

/** The same task, whose steps are told at once and the progress within one four times a second. */
export function calm(task: Task): Task {
  let told: { readonly message: string; readonly at: number } | undefined;
  const progress = (step: Progress) => {
    const now = task.clock.now();
    // A clock that is set back must not silence it.
    if (told?.message === step.message && Math.abs(now - told.at) < EVERY_MS) return;
    told = { message: step.message, at: now };
    task.progress(step);
  };
  return { signal: task.signal, clock: task.clock, progress };
}
