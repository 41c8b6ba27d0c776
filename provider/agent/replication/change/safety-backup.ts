import { Failure } from "../../../core/errors";
import type { AddonRecord } from "../../../core/facets";
import { heldWords, type HeldData } from "../../../core/held-data";
import type { Task } from "../../../core/task";
import type { BackupResult } from "../../../platforms/contract";
import type { RedisClient } from "../../../redis/client";
import { log } from "../../log";
import type { AgentService } from "../../service";
import { becomeReadable } from "./become-readable";

/**
 * Backs up what a leader's data, or those of a backup, are about to replace, while nobody writes. No older backup goes
 * for it. Fails where the backup can't be taken, and where nobody could look at it: without a proof nothing is replaced.
 */
export async function safetyBackup(
  { backups }: Pick<AgentService, "backups">,
  { record, server, held }: { record: AddonRecord; server: RedisClient; held: HeldData },
  task: Task,
): Promise<BackupResult> {
  const { name } = record;
  task.progress({ message: `backing up ${heldWords(held)} of ${name} before they are replaced` });
  await becomeReadable(server, task, name);
  const backup = await backups.safety(record, task);
  const { slot, verification, warnings } = backup;
  if (verification === undefined || verification.outcome === "damaged")
    throw new Failure({
      code: "backup-not-verified",
      operation: "back up",
      subject: name,
      cause: ["its backup could not be proved, so nothing was replaced", ...warnings].join(": "),
      hint: `See what is wrong with it: redis-addon backup verify ${name} ${slot}`,
    });
  task.progress({ message: `backup ${slot} taken and looked at: ${verification.outcome}` });
  log(`${name}: backup ${slot} taken before ${heldWords(held)} are replaced`);
  return backup;
}
