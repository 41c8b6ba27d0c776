import { Failure } from "../core/errors";
import type { Clock, Progress, Task } from "../core/task";
import type { Row } from "./row";

/** How long an operation may take where `customTimeouts` says nothing: Pulumi's own default has no end at all. */
export const DEFAULT_DEADLINE_MS = 20 * 60_000;
/** How long an aborted operation gets to end by itself, with its own and better reason. */
const GRACE_MS = 10_000;

export interface TaskOptions {
  readonly clock: Clock;
  readonly row: Row;
  /** Aborted when the engine has gone. */
  readonly gone: AbortSignal;
  readonly deadlineMs: number;
  readonly operation: string;
  readonly subject: string;
}

/** Runs an operation with its progress on the row, until it ends, the deadline passes or the engine is gone. */
export async function runTask<Result>(
  options: TaskOptions,
  run: (task: Task) => Promise<Result>,
): Promise<Result> {
  const { clock, row, gone, deadlineMs } = options;
  const deadline = new AbortController();
  const over = new AbortController();
  let last: Progress | undefined;
  const signal = AbortSignal.any([deadline.signal, gone]);
  const task: Task = {
    signal,
    clock,
    progress: (progress) => {
      last = progress;
      row.progress(progress);
    },
  };
  const limit = clock.sleep(deadlineMs, AbortSignal.any([over.signal, gone])).then(
    () => deadline.abort(tooLong(options, last)),
    () => undefined,
  );
  const forced = new Promise<never>((_, reject) => {
    const force = () =>
      void clock.sleep(GRACE_MS, over.signal).then(
        () => reject(signal.reason as Error),
        () => undefined,
      );
    if (signal.aborted) force();
    else signal.addEventListener("abort", force, { once: true });
  });
  try {
    return await Promise.race([run(task), forced]);
  } finally {
    over.abort();
    row.close();
    await limit;
  }
}

function tooLong({ deadlineMs, operation, subject }: TaskOptions, last: Progress | undefined): Failure {
  const minutes = deadlineMs / 60_000;
  const limit = minutes >= 1 ? `${Number(minutes.toFixed(1))} min` : `${Math.round(deadlineMs / 1000)} s`;
  return new Failure({
    code: "deadline",
    operation,
    subject,
    cause: `it took longer than ${limit}${last === undefined ? "" : `; the last that was heard: ${last.message}`}`,
    hint: "Run `pulumi up` again to go on, or give it longer with the resource option customTimeouts",
    transient: true,
  });
}
