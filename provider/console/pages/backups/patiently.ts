import { Failure } from "../../../core/errors";
import type { Task } from "../../../core/task";
import { unlessAborted } from "../../../system/unless-aborted";

/** A person waits for a page, not for a store: longer than this takes what should be an activity. */
const PATIENCE_MS = 20_000;

/** Does something that asks a store, which may hang; after a while it fails with `store-slow`. */
export async function patiently<Result>(
  task: Task,
  { operation, subject }: { readonly operation: string; readonly subject: string },
  work: (task: Task) => Promise<Result>,
): Promise<Result> {
  const patience = AbortSignal.timeout(PATIENCE_MS);
  const signal = AbortSignal.any([task.signal, patience]);
  try {
    return await unlessAborted(() => work({ ...task, signal }), signal);
  } catch (error) {
    task.signal.throwIfAborted();
    if (!patience.aborted) throw error;
    throw new Failure({
      ...{ code: "store-slow", operation, subject },
      cause: `its store did not answer within ${PATIENCE_MS / 1000} s`,
      hint: "Look at the backups again: what was asked for may have been done",
      transient: true,
    });
  }
}
