import { rm } from "node:fs/promises";
import { join } from "node:path";
import type { RestoreJob } from "../../core/job";
import type { Task } from "../../core/task";
import type { Counts, VerificationOutcome } from "../../core/verification";
import { damagedBackup } from "./restore-failures";
import { linkedCopy, type StagedFolder } from "./staged-folder";
import type { Described } from "../verify/described";
import { proveByLoading } from "../verify/prove-by-loading";

export interface ProvedStaged {
  readonly verification: Exclude<VerificationOutcome, "damaged">;
  /** As a scratch server counted them. */
  readonly counts?: Counts | undefined;
  readonly warnings: readonly string[];
}

/**
 * Loads what was extracted, both ways, without touching it. One that can't be loaded here for want of memory or of a
 * server is let pass, with a warning; a damaged one is refused: `backup-damaged`.
 */
export async function proveStaged(
  { scratch, path }: StagedFolder,
  described: Described,
  { servers, memoryBudgetBytes }: RestoreJob["proof"],
  subject: string,
  task: Task,
): Promise<ProvedStaged> {
  const folder = join(scratch.path, "proof");
  await linkedCopy(path, folder, described.files);
  const request = { manifest: described, folder, scratch, servers, memoryBudgetBytes };
  const { outcome, why, counts } = await proveByLoading(request, task);
  await rm(folder, { recursive: true, force: true });
  switch (outcome) {
    case "verified":
      return { verification: outcome, counts, warnings: [] };
    case "structure-checked":
      return {
        verification: outcome,
        warnings: [`Its bytes were checked, but no server has loaded it before: ${why ?? "none is at hand"}`],
      };
    case "damaged":
      throw damagedBackup(subject, why ?? "it does not load");
  }
}
