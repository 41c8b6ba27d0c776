import type { Task } from "../core/task";
import { VERIFICATION_WORDS } from "../core/verification";
import type { Platform, Removal, RemovalRequest } from "../platforms/contract";

/** Takes a final backup, then removes server and data; backups stay. Absent is success. */
export async function remove(platform: Platform, request: RemovalRequest, task: Task): Promise<Removal> {
  return platform.remove(request, task);
}

const WHY_NONE = {
  "not-wanted": "as its `deletion` says",
  "given-up": "as was asked for",
  "no-data": "as it held no data",
} as const;

/** What a person is told of an add-on that is gone. */
export function removedWords(
  name: string,
  { finalBackup, noBackup }: Extract<Removal, { outcome: "removed" }>,
): string {
  if (finalBackup === undefined) {
    return `${name} is deleted; its final backup: none, ${WHY_NONE[noBackup ?? "no-data"]}`;
  }
  const { archive, verification } = finalBackup;
  const proved = verification === undefined ? "not verified" : VERIFICATION_WORDS[verification.outcome];
  return `${name} is deleted; its final backup: ${archive} (${proved})`;
}
