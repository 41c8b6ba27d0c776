import { Failure } from "../core/errors";
import type { Task } from "../core/task";
import type { Store } from "../stores/contract";
import { readCatalog } from "./catalog";
import { noSuchBackup } from "./find-backup";
import { removeBackup } from "./remove-backup";

/**
 * Deletes one backup because somebody asked for it. Fails with `no-such-backup`; with `pinned`, which unpinning
 * overcomes; and with `newest-verified` unless told otherwise: nothing newer is known to open.
 */
export async function deleteBackup(
  store: Store,
  catalogKey: string,
  slot: string,
  { evenNewestVerified = false }: { readonly evenNewestVerified?: boolean },
  task: Pick<Task, "signal">,
): Promise<void> {
  const catalog = await readCatalog(store, catalogKey, task.signal);
  const backup = catalog.backups.find(({ name }) => name === slot);
  const folder = `${store.url}/${catalogKey}`;
  if (backup === undefined) throw noSuchBackup("delete", slot, folder, catalog);
  const refused = (code: string, cause: string, hint: string) =>
    new Failure({ code, operation: "delete", subject: `backup ${slot} in ${folder}`, cause, hint });
  if (backup.pinned) throw refused("pinned", "it is pinned", "Unpin it first");
  const newestVerified = catalog.backups.findLast(({ verification }) => verification === "verified");
  if (backup === newestVerified && !evenNewestVerified)
    throw refused(
      "newest-verified",
      "it is the newest one that was verified",
      "Verify a newer one first, or say that even this one may go",
    );
  await removeBackup(store, catalogKey, backup, task.signal);
}
