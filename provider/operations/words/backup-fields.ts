import { memoryText } from "../../core/memory-size";
import type { BackupDetails } from "../backup-catalog";
import { verifiedCell } from "./addon-words";
import { reasonWords } from "./backup-words";

/** All that is known of one backup, as labels and values for a person. */
export function backupFields({ entry, manifest, verification, pin }: BackupDetails): [string, string][] {
  const { server, rdb, replication, encryption } = manifest;
  const counts = verification?.counts;
  return [
    ["Slot", entry.slot],
    ["Taken", `${entry.takenAt} (${reasonWords(manifest)})`],
    ["Finished", manifest.finishedAt],
    ["Archive", entry.archive],
    ["Size", memoryText(entry.sizeBytes)],
    ["SHA-256", manifest.archive.sha256],
    ["Encrypted", encryptionWords(encryption)],
    ["Server", `${server.name} ${server.version}`],
    ["Snapshot", `${rdb.magic}, ${memoryText(rdb.sizeBytes)}`],
    ["Keys", countWords(counts?.keys, entry.keys)],
    ["Replication", `${replication.id} at ${replication.offset}`],
    ["Verified", verifiedCell(entry)],
    ...(verification === undefined ? [] : verificationFields(verification)),
    ["Pinned", entry.pinned ? (pin?.note ?? "yes") : "no"],
  ];
}

function verificationFields(verification: NonNullable<BackupDetails["verification"]>): [string, string][] {
  const { at, server, why, counts } = verification;
  return [
    ["Looked at", `${at}${server === undefined ? "" : ` by ${server.name} ${server.version}`}`],
    ...(why === undefined ? [] : ([["Why", why]] as [string, string][])),
    ...(counts === undefined ? [] : ([["With expiry", String(counts.expires)]] as [string, string][])),
  ];
}

function encryptionWords(encryption: BackupDetails["manifest"]["encryption"]): string {
  if (encryption === undefined) return "no";
  return encryption.recipients === undefined ? "to a passphrase" : `to ${encryption.recipients.join(", ")}`;
}

/** What was counted counts more than what the server said before. */
function countWords(counted: number | undefined, said: number | undefined): string {
  if (counted !== undefined) return String(counted);
  return said === undefined ? "unknown" : `about ${said}`;
}
