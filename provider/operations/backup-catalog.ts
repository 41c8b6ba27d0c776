import type { ListedBackup } from "../backup/catalog";
import type { DeletionOptions } from "../backup/delete-backup";
import type { Pin } from "../backup/pin";
import { asFailure } from "../core/errors";
import type { Manifest } from "../core/manifest";
import type { Task } from "../core/task";
import type { Verification } from "../core/verification";
import type { Store } from "../stores/contract";
import { type BackupPlace, openPlace } from "./backup-place";
import { type CatalogEntry, entryOf } from "./list-backups";
import { severalAtOnce } from "./several-at-once";

/** One catalog of a store, in short. */
export interface CatalogSummary {
  readonly name: string;
  /** How many there are. */
  readonly backups: number;
  /** The slot of the newest. */
  readonly newest?: string;
}

/** All that is known of one backup. */
export interface BackupDetails {
  readonly entry: CatalogEntry;
  readonly manifest: Manifest;
  /** What was found when it was last looked at; absent: nobody has looked. */
  readonly verification?: Verification;
  /** Absent where it is not pinned, or by hand, without a word. */
  readonly pin?: Pin;
}

/** Every catalog of a store that holds a backup, by name. */
export async function listCatalogs(url: string, task: Task): Promise<CatalogSummary[]> {
  const { listCatalogs, readCatalog } = await import("../backup/catalog.js");
  const store = await openPlace({ destination: url });
  try {
    return await severalAtOnce(await listCatalogs(store, task.signal), async (name) => {
      const { backups } = await readCatalog(store, name, task.signal);
      const newest = backups.at(-1)?.name;
      return { name, backups: backups.length, ...(newest === undefined ? {} : { newest }) };
    });
  } catch (error) {
    task.signal.throwIfAborted();
    throw asFailure(error, "list the catalogs of", store.url);
  }
}

/**
 * The slot of the backup that somebody means: a slot, a beginning of one that is no other's, `latest` or
 * `latest-verified`. Fails with `no-such-backup` or `ambiguous-backup`.
 */
export async function findSlot(place: BackupPlace, wanted: string, task: Task): Promise<string> {
  return (await find(place, wanted, task)).backup.name;
}

export async function showBackup(place: BackupPlace, wanted: string, task: Task): Promise<BackupDetails> {
  const { store, backup } = await find(place, wanted, task);
  const { catalogKey } = place;
  const { showBackup } = await import("../backup/show-backup.js");
  const { listed, manifest, verification, pin } = await showBackup(store, catalogKey, backup.name, task);
  return {
    entry: entryOf(listed, manifest, `${store.url}/${catalogKey}`),
    manifest,
    ...(verification === undefined ? {} : { verification }),
    ...(pin === undefined ? {} : { pin }),
  };
}

/** Keeps a backup whatever the retention says. Returns its slot. */
export async function pinBackup(
  place: BackupPlace,
  wanted: string,
  note: string | undefined,
  task: Task,
): Promise<string> {
  const { store, backup } = await find(place, wanted, task);
  const { pinBackup } = await import("../backup/pin.js");
  await pinBackup(store, place.catalogKey, backup.name, note, task);
  return backup.name;
}

/** Leaves a backup to the retention again; one that is not pinned is success. Returns its slot. */
export async function unpinBackup(place: BackupPlace, wanted: string, task: Task): Promise<string> {
  const { store, backup } = await find(place, wanted, task);
  const { unpinBackup } = await import("../backup/pin.js");
  await unpinBackup(store, place.catalogKey, backup.name, task);
  return backup.name;
}

/** What a deletion takes away for ever. */
export interface DoomedBackup {
  readonly slot: string;
  /** ISO 8601; absent where no manifest tells it. */
  readonly takenAt?: string;
  readonly archives: readonly { readonly url: string; readonly sizeBytes: number }[];
  /** Why the manifest is none; absent: it is sound. Then all archives of the slot go: nothing opens any of them. */
  readonly manifestDamage?: string;
}

/** What deleting a backup would take away; nothing is touched. */
export async function lookAtDeletion(place: BackupPlace, wanted: string, task: Task): Promise<DoomedBackup> {
  const { store, backup } = await find(place, wanted, task);
  const { deletionOf } = await import("../backup/delete-backup.js");
  const { manifest, manifestDamage, archives } = await deletionOf(
    store,
    place.catalogKey,
    backup,
    task.signal,
  );
  return {
    slot: backup.name,
    ...(manifest === undefined ? {} : { takenAt: manifest.takenAt }),
    archives: archives.map(({ key, sizeBytes }) => ({ url: `${store.url}/${key}`, sizeBytes })),
    ...(manifestDamage === undefined ? {} : { manifestDamage }),
  };
}

/**
 * Deletes one backup, by its whole slot. Fails with `pinned`, and with `newest-verified` and `manifest-damaged` unless
 * told otherwise.
 */
export async function deleteBackup(
  place: BackupPlace,
  slot: string,
  options: DeletionOptions,
  task: Task,
): Promise<void> {
  const { deleteBackup } = await import("../backup/delete-backup.js");
  await deleteBackup(await openPlace(place), place.catalogKey, slot, options, task);
}

async function find(
  place: BackupPlace,
  wanted: string,
  task: Task,
): Promise<{ readonly store: Store; readonly backup: ListedBackup }> {
  const { readCatalog } = await import("../backup/catalog.js");
  const { findBackup } = await import("../backup/find-backup.js");
  const store = await openPlace(place);
  const catalog = await readCatalog(store, place.catalogKey, task.signal);
  return { store, backup: findBackup(catalog, wanted, `${store.url}/${place.catalogKey}`) };
}
