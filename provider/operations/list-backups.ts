import { asFailure } from "../core/errors";
import type { Manifest } from "../core/manifest";
import type { Task } from "../core/task";
import type { Platform } from "../platforms/contract";

/** A backup as the catalog tells it. */
export interface CatalogEntry {
  readonly slot: string;
  /** ISO 8601. */
  readonly takenAt: string;
  /** URL of the archive. */
  readonly archive: string;
  readonly sizeBytes: number;
  /** About how many keys it holds; absent where the source didn't say. */
  readonly keys?: number;
  readonly reason: Manifest["reason"];
}

export interface BackupListing {
  /** Oldest first. */
  readonly backups: readonly CatalogEntry[];
  /** Manifests that this version can't read, each with why: they hide no other backup. */
  readonly unreadable: readonly string[];
}

/** All backups of an add-on, read from its destination; absent: there is no such add-on. */
export async function listBackups(
  platform: Platform,
  name: string,
  task: Task,
): Promise<BackupListing | undefined> {
  const placement = await platform.placement(name);
  if (placement === undefined) return undefined;
  const { catalogKey } = placement.record;
  const [{ openStore }, { readCatalog, readManifest }] = await Promise.all([
    import("../stores/open.js"),
    import("../backup/catalog.js"),
  ]);
  const store = await openStore(placement.destination);
  try {
    const listed = await readCatalog(store, catalogKey, task.signal);
    const backups: CatalogEntry[] = [];
    const unreadable: string[] = [];
    for (const { name: slot } of listed.backups)
      try {
        backups.push(entryOf(await readManifest(store, catalogKey, slot, task.signal), store.url));
      } catch (error) {
        task.signal.throwIfAborted();
        unreadable.push(asFailure(error, "read the backup", slot).message);
      }
    return { backups, unreadable };
  } catch (error) {
    throw asFailure(error, "list the backups of", name);
  }
}

function entryOf(manifest: Manifest, storeUrl: string): CatalogEntry {
  const { slot, takenAt, reason, archive, addon, keyspace } = manifest;
  return {
    slot,
    takenAt,
    archive: `${storeUrl}/${addon.catalogKey}/${archive.name}`,
    sizeBytes: archive.sizeBytes,
    ...(keyspace === undefined ? {} : { keys: keyspace.keys }),
    reason,
  };
}
