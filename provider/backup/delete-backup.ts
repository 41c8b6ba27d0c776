import { Failure } from "../core/errors";
import type { Manifest } from "../core/manifest";
import type { Task } from "../core/task";
import type { Store, StoredObject } from "../stores/contract";
import { type Catalog, type ListedBackup, readCatalog, readManifest, storeTimeOf } from "./catalog";
import { isHeld } from "./dead";
import { noSuchBackup } from "./find-backup";
import { archivesOf, removeWith } from "./remove-backup";

/** What a deletion takes away for ever. */
export interface Deletion {
  /** Absent where there is none that can be read. */
  readonly manifest?: Manifest;
  /**
   * Why the manifest is none; absent: it is sound. Nothing tells then which archive of the slot is the backup's, and
   * nothing opens any of them: all of them go.
   */
  readonly manifestDamage?: string;
  readonly archives: readonly StoredObject[];
}

export interface DeletionOptions {
  /** Also where nothing newer is known to open; false by default. */
  readonly evenNewestVerified?: boolean;
  /** Also where the manifest is damaged, with every archive of the slot; false by default. */
  readonly evenDamaged?: boolean;
}

/**
 * Deletes one backup because somebody asked for it. Fails with `no-such-backup`; with `pinned`, which unpinning
 * overcomes; with `being-restored` while a restore reads it; and with `manifest-damaged` and `newest-verified` unless told otherwise.
 */
export async function deleteBackup(
  store: Store,
  catalogKey: string,
  slot: string,
  { evenNewestVerified = false, evenDamaged = false }: DeletionOptions,
  task: Pick<Task, "signal" | "clock">,
): Promise<void> {
  const { signal } = task;
  const catalog = await readCatalog(store, catalogKey, signal);
  const backup = catalog.backups.find(({ name }) => name === slot);
  const folder = `${store.url}/${catalogKey}`;
  if (backup === undefined) throw noSuchBackup("delete", slot, folder, catalog);
  const refused = (code: string, cause: string, hint: string) =>
    new Failure({ code, operation: "delete", subject: `backup ${slot} in ${folder}`, cause, hint });
  if (backup.pinned) throw refused("pinned", "it is pinned", "Unpin it first");
  if (backup.held && isHeld(backup, await storeTimeOf(store, catalogKey, catalog, task)))
    throw refused(
      "being-restored",
      "a restore reads it at this moment",
      "Try again when that has ended; one that was cut off keeps it for a day",
    );
  const { manifestDamage, archives } = await deletionOf(store, catalogKey, backup, signal);
  if (manifestDamage !== undefined && !evenDamaged)
    throw refused(
      "manifest-damaged",
      `its manifest is damaged: ${manifestDamage}`,
      "Look again at what a deletion would take away",
    );
  const isMarked = backup.verification === "verified";
  if (
    isMarked &&
    !evenNewestVerified &&
    backup === (await newestVerified(store, catalogKey, catalog, signal))
  )
    throw refused(
      "newest-verified",
      "it is the newest one that was verified",
      "Verify a newer one first, or say that even this one may go",
    );
  await removeWith(store, catalogKey, backup, archives, signal);
}

/** What the deletion of a backup would take away. Fails with `unreadable-manifest`: a newer version may read it. */
export async function deletionOf(
  store: Store,
  catalogKey: string,
  backup: ListedBackup,
  signal: AbortSignal,
): Promise<Deletion> {
  try {
    const manifest = await readManifest(store, catalogKey, backup.name, signal);
    return { manifest, archives: archivesOf(catalogKey, backup, manifest) };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.code === "manifest-damaged") return { manifestDamage: error.cause, archives: backup.archives };
    // Another machine has just removed it.
    if (error.code === "not-found") return { archives: [] };
    throw error;
  }
}

/**
 * The newest that is known to open, as far as that can be told without reading archives: the mark of one whose manifest
 * or archive was damaged since vouches for nothing, and must not cost an older one its protection.
 */
async function newestVerified(
  store: Store,
  catalogKey: string,
  { backups }: Catalog,
  signal: AbortSignal,
): Promise<ListedBackup | undefined> {
  for (const backup of backups.filter(({ verification }) => verification === "verified").toReversed())
    if (await isWhole(store, catalogKey, backup, signal)) return backup;
  return undefined;
}

async function isWhole(
  store: Store,
  catalogKey: string,
  backup: ListedBackup,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const { manifest, archives } = await deletionOf(store, catalogKey, backup, signal);
    return manifest !== undefined && archives[0]?.sizeBytes === manifest.archive.sizeBytes;
  } catch (error) {
    // Only this version can't read it; whoever wrote it can.
    if (error instanceof Failure && error.code === "unreadable-manifest") return true;
    throw error;
  }
}
