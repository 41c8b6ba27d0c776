import { Failure } from "../core/errors";
import { type Manifest, manifestKey, pinKey } from "../core/manifest";
import { VERIFICATION_OUTCOMES, verificationKey } from "../core/verification";
import type { Store, StoredObject } from "../stores/contract";
import { type ListedBackup, readManifest } from "./catalog";

/**
 * Removes a backup with these of its archives and all else that belongs to it, in an order that may be interrupted
 * anywhere. What vouches for it goes before the manifest: left behind, it would vouch for the next backup of that slot.
 * From the manifest's removal on there is no such backup, and what is left is an orphan that pruning removes.
 */
export async function removeWith(
  store: Store,
  catalogKey: string,
  backup: ListedBackup,
  archives: readonly StoredObject[],
  signal: AbortSignal,
): Promise<void> {
  await store.delete(verificationKey(catalogKey, backup.name, "verified"), signal);
  await store.delete(manifestKey(catalogKey, backup.name), signal);
  for (const { key } of archives) await store.delete(key, signal);
  for (const outcome of VERIFICATION_OUTCOMES)
    await store.delete(verificationKey(catalogKey, backup.name, outcome), signal);
  if (backup.pinned) await store.delete(pinKey(catalogKey, backup.name), signal);
  for (const { key } of backup.holds) await store.delete(key, signal);
}

/** The archive that the manifest names, if it lies there; none where another machine has just removed the manifest. */
export async function namedArchive(
  store: Store,
  catalogKey: string,
  backup: ListedBackup,
  signal: AbortSignal,
): Promise<StoredObject[]> {
  const manifest = await readManifest(store, catalogKey, backup.name, signal).catch((error: unknown) => {
    // Anything else must not cost an archive.
    if (error instanceof Failure && error.code === "not-found") return undefined;
    throw error;
  });
  return archivesOf(catalogKey, backup, manifest);
}

/** The archive that a manifest names, if it lies there. */
export function archivesOf(
  catalogKey: string,
  { archives }: ListedBackup,
  manifest: Manifest | undefined,
): StoredObject[] {
  return archives.filter(({ key }) => key === `${catalogKey}/${manifest?.archive.name}`);
}
