import type { AddonStatus } from "../../core/status";
import type { VerificationOutcome } from "../../core/verification";
import type { CatalogEntry } from "../list-backups";
import { lagWords, positionWords } from "./follower-words";
import { syncWords } from "../../redis/sync-status";

/** How a role reads in one cell: `leader`, `follower of cache: synced`. */
export function roleWords({ replication }: AddonStatus): string {
  if (replication.role === "leader") return positionWords(replication);
  const { addon, host, port } = replication.leader;
  return `follower of ${addon ?? `${host}:${port}`}: ${syncWords(replication.sync)}`;
}

/** Of a follower: how far behind it is, in a column headed LAG. */
export function lagCell({ replication }: AddonStatus): string {
  return replication.role === "leader" ? "-" : (lagWords(replication.sync) ?? "-");
}

const VERIFIED_CELLS: Readonly<Record<VerificationOutcome, string>> = {
  verified: "yes",
  "structure-checked": "structure checked",
  damaged: "DAMAGED",
};

/** How far a backup can be relied on, in a column headed VERIFIED. */
export function verifiedCell({
  archiveExists,
  damage,
  verification,
}: Pick<CatalogEntry, "archiveExists" | "damage" | "verification">): string {
  if (!archiveExists) return "NO ARCHIVE";
  if (damage !== undefined) return `DAMAGED (${damage})`;
  return verification === undefined ? "-" : VERIFIED_CELLS[verification];
}

/** Why a structure check is all that was possible. */
export function notLoaded({ why }: { readonly why?: string | undefined }): string {
  return `the backup was checked byte by byte, but not loaded: ${why ?? "no server here loads it"}`;
}
