import type { Manifest } from "../core/manifest";
import type { Task } from "../core/task";
import type { Verification } from "../core/verification";
import type { Store } from "../stores/contract";
import { type ListedBackup, readCatalog, readListed, readManifest } from "./catalog";
import { noSuchBackup } from "./find-backup";
import { type Pin, readPin } from "./pin";
import { readVerification } from "./verify/record";

/** All that is known of one backup. */
export interface ShownBackup {
  readonly listed: ListedBackup;
  readonly manifest: Manifest;
  /** Absent where it is not pinned, or by hand, without a word. */
  readonly pin: Pin | undefined;
  /** What was found when it was last looked at; absent: nobody has looked. */
  readonly verification: Verification | undefined;
}

/** Fails with `no-such-backup`, or with `unreadable-manifest`. */
export async function showBackup(
  store: Store,
  catalogKey: string,
  slot: string,
  { signal }: Pick<Task, "signal">,
): Promise<ShownBackup> {
  const listed = await readListed(store, catalogKey, slot, signal);
  if (listed === undefined)
    throw noSuchBackup(
      "show",
      slot,
      `${store.url}/${catalogKey}`,
      await readCatalog(store, catalogKey, signal),
    );
  const [manifest, pin, verification] = await Promise.all([
    readManifest(store, catalogKey, slot, signal),
    listed.pinned ? readPin(store, catalogKey, slot, signal) : undefined,
    listed.verification && readVerification(store, catalogKey, slot, listed.verification, signal),
  ]);
  const { name } = manifest.archive;
  return {
    listed,
    manifest,
    pin,
    // One of another archive was left by an earlier backup of this slot.
    verification: verification?.archive === name ? verification : undefined,
  };
}
