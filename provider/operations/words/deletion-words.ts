import { memoryText } from "../../core/memory-size";
import type { DoomedBackup } from "../backup-catalog";

/** What a deletion takes away, for a sentence: `this would remove …, for ever`. */
export function whatGoes({ archives, takenAt, manifestDamage }: DoomedBackup): string {
  const when = takenAt === undefined ? "" : `, taken ${takenAt}`;
  const named = archives.map(({ url, sizeBytes }) => `${url} (${memoryText(sizeBytes)}${when})`).join(", ");
  if (manifestDamage === undefined) return named === "" ? "its manifest: its archive is gone already" : named;
  return `a damaged manifest (${manifestDamage}) and ${named === "" ? "no archive" : `every archive of that slot: ${named}`}`;
}
