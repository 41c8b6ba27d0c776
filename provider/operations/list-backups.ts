import type { ListedBackup } from "../backup/catalog";
import { asFailure, type Failure } from "../core/errors";
import type { Manifest } from "../core/manifest";
import type { Task } from "../core/task";
import type { VerificationOutcome } from "../core/verification";
import { type BackupPlace, openPlace } from "./backup-place";
import { severalAtOnce } from "./several-at-once";

/** A backup as the catalog tells it. */
export interface CatalogEntry {
  readonly slot: string;
  /** ISO 8601. */
  readonly takenAt: string;
  /** URL of the archive. */
  readonly archive: string;
  /** False: its archive is gone, and with it the data. */
  readonly archiveExists: boolean;
  readonly sizeBytes: number;
  /** From the snapshot until it was in the store. */
  readonly tookSeconds: number;
  /** About how many keys it holds; absent where the source didn't say. */
  readonly keys?: number;
  readonly reason: Manifest["reason"];
  readonly encrypted: boolean;
  readonly pinned: boolean;
  /** Something is being restored from it, so that no pruning removes it now. */
  readonly held?: true;
  /** Absent: nobody has looked. Damaged, whatever was found when somebody did, where the archive's size differs. */
  readonly verification?: VerificationOutcome;
  /** What the listing alone tells of it: its archive has another size than the manifest says. */
  readonly damage?: "size differs";
}

export interface BackupListing {
  /** Oldest first. */
  readonly backups: readonly CatalogEntry[];
  /** Manifests that this version can't read, each with why: they hide no other backup. */
  readonly unreadable: readonly Failure[];
}

/** All backups of one catalog. */
export async function listBackups(place: BackupPlace, task: Task): Promise<BackupListing> {
  const { catalogKey, name } = place;
  const { readCatalog, readManifest } = await import("../backup/catalog.js");
  try {
    const store = await openPlace(place);
    const listed = (await readCatalog(store, catalogKey, task.signal)).backups;
    const unreadable: Failure[] = [];
    const backups = await severalAtOnce(listed, async (backup) => {
      try {
        const manifest = await readManifest(store, catalogKey, backup.name, task.signal);
        return entryOf(backup, manifest, `${store.url}/${catalogKey}`);
      } catch (error) {
        task.signal.throwIfAborted();
        unreadable.push(asFailure(error, "read the backup", backup.name));
        return undefined;
      }
    });
    return { backups: backups.filter((entry) => entry !== undefined), unreadable };
  } catch (error) {
    task.signal.throwIfAborted();
    throw asFailure(error, "list the backups of", name);
  }
}

/** `catalogUrl`: the store's URL and the catalog's key. */
export function entryOf(listed: ListedBackup, manifest: Manifest, catalogUrl: string): CatalogEntry {
  const { slot, takenAt, finishedAt, reason, archive, encryption, keyspace } = manifest;
  const stored = listed.archives.find(({ key }) => key.endsWith(`/${archive.name}`));
  const differs = stored !== undefined && stored.sizeBytes !== archive.sizeBytes;
  const verification = differs ? "damaged" : listed.verification;
  return {
    slot,
    takenAt,
    archive: `${catalogUrl}/${archive.name}`,
    archiveExists: stored !== undefined,
    sizeBytes: archive.sizeBytes,
    tookSeconds: Math.max(0, (Date.parse(finishedAt) - Date.parse(takenAt)) / 1000),
    ...(keyspace === undefined ? {} : { keys: keyspace.keys }),
    reason,
    encrypted: encryption !== undefined,
    pinned: listed.pinned,
    ...(listed.held ? { held: true } : {}),
    ...(verification === undefined ? {} : { verification }),
    ...(differs ? { damage: "size differs" } : {}),
  };
}
