import type { DecryptionKey } from "../../core/encryption";
import { asFailure, Failure } from "../../core/errors";
import type { BackupJob } from "../../core/job";
import type { Task } from "../../core/task";
import type { Verification } from "../../core/verification";
import type { Store } from "../../stores/contract";
import { deleteBackup } from "../delete-backup";
import { verifyBackup } from "../verify/verify-backup";

export interface Proved {
  readonly verification?: Verification;
  readonly warnings: readonly string[];
}

/**
 * Verifies a backup that was just taken. One that turns out to be damaged is removed: the next attempt must find its
 * slot free, and nobody may take it for good. Where nobody could look it stays, with a warning; but nothing may be
 * deleted on the strength of a final one that was not looked at.
 */
export async function prove(
  job: BackupJob,
  store: Store,
  slot: string,
  key: DecryptionKey | undefined,
  task: Task,
): Promise<Proved> {
  if (job.proof === undefined) return { warnings: [] };
  const { scratchFolder } = job;
  const { name, catalogKey } = job.addon;
  let verification: Verification;
  try {
    verification = await verifyBackup({ store, catalogKey, slot, scratchFolder, ...job.proof, key }, task);
  } catch (error) {
    task.signal.throwIfAborted();
    if (job.reason.kind === "final") throw error;
    return { warnings: [`it could not be verified: ${asFailure(error, "verify", name).message}`] };
  }
  if (verification.outcome !== "damaged") return { verification, warnings: [] };
  await deleteBackup(store, catalogKey, slot, { evenNewestVerified: true }, task);
  throw new Failure({
    code: "backup-damaged",
    operation: "back up",
    subject: name,
    cause: `what was stored is damaged, and was removed: ${verification.why ?? "it does not load"}`,
    hint: `Check the disk or the store at ${store.url}, then: redis-addon backup run ${name}`,
    transient: true,
  });
}
