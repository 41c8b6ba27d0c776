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

/** All backups of an add-on, oldest first, read from its destination; absent: there is no such add-on. */
export async function listBackups(
  platform: Platform,
  name: string,
  task: Task,
): Promise<CatalogEntry[] | undefined> {
  const placement = await platform.placement(name);
  if (placement === undefined) return undefined;
  const { catalogKey } = placement.record;
  const [{ openStore }, { readCatalog, readManifest }] = await Promise.all([
    import("../stores/open.js"),
    import("../backup/catalog.js"),
  ]);
  const store = await openStore(placement.destination);
  try {
    const { backups } = await readCatalog(store, catalogKey, task.signal);
    return await Promise.all(
      backups.map(async (backup) =>
        entryOf(await readManifest(store, catalogKey, backup.name, task.signal), store.url),
      ),
    );
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
