import { asFailure, Failure, type FailureReport } from "../core/errors";
import { manifestKey } from "../core/manifest";
import { type Retention, retain } from "../core/retention";
import type { Task } from "../core/task";
import { VERIFICATION_OUTCOMES, verificationKey } from "../core/verification";
import type { Store, StoredObject } from "../stores/contract";
import { type ListedBackup, readCatalog, readManifest } from "./catalog";

/** An archive is stored whole at once and its manifest follows: one without after so long will never get one. */
const DEAD_AFTER_MS = 24 * 60 * 60_000;
/** Often enough that a slow store's pruning does not look like a job that hangs. */
const TELL_EVERY = 50;

export interface Pruned {
  /** The slots that retention removed, oldest first. */
  readonly removed: readonly string[];
  /** The first thing that could not be removed; the others were tried none the less. */
  readonly failure: FailureReport | undefined;
}

/**
 * Removes what the retention no longer wants, and what interrupted attempts left. The manifest goes first: from then on
 * there is no such backup, wherever the rest is interrupted. Backups from before the add-on's `createdAt` (ISO 8601)
 * stay, whatever the retention says; without a retention every backup does.
 */
export async function prune(
  store: Store,
  { catalogKey, createdAt }: { readonly catalogKey: string; readonly createdAt: string },
  retention: Retention | undefined,
  task: Task,
): Promise<Pruned> {
  const now = task.clock.now();
  const { backups, orphans } = await readCatalog(store, catalogKey, task.signal);
  const removed: string[] = [];
  let failure: FailureReport | undefined;
  const attempt = async (subject: string, work: () => Promise<void>) => {
    try {
      await work();
    } catch (error) {
      task.signal.throwIfAborted();
      failure ??= asFailure(error, "remove", subject).report();
    }
  };

  // One without its archive can't be restored: it must not count as the newest, at a good one's expense.
  const whole = backups.filter((backup) => backup.archives.length > 0);
  const judged =
    retention === undefined
      ? whole.map((backup) => ({ backup, keep: true }))
      : retain(whole, retention, now, Date.parse(createdAt));
  for (const { backup, keep } of judged) {
    if (keep) await attempt(backup.name, () => removeLosers(store, catalogKey, backup, now, task.signal));
    else
      await attempt(backup.name, async () => {
        await removeBackup(store, catalogKey, backup, task.signal);
        removed.push(backup.name);
        if (removed.length % TELL_EVERY === 0)
          task.progress({ message: `removed ${removed.length} backups that are no longer kept` });
      });
  }
  for (const orphan of orphans.filter((object) => isDead(object, now)))
    await attempt(orphan.key, () => store.delete(orphan.key, task.signal));
  await attempt(store.url, async () => void (await store.sweep(catalogKey, task.signal)));
  return { removed, failure };
}

function isDead(object: StoredObject, now: number): boolean {
  return now - object.modifiedAt > DEAD_AFTER_MS;
}

async function removeBackup(
  store: Store,
  catalogKey: string,
  backup: ListedBackup,
  signal: AbortSignal,
): Promise<void> {
  const [archive] = await namedArchive(store, catalogKey, backup, signal);
  await store.delete(manifestKey(catalogKey, backup.name), signal);
  // Another archive of the slot may belong to a machine that is about to put its manifest: it is an orphan's case.
  if (archive !== undefined) await store.delete(archive.key, signal);
  for (const outcome of VERIFICATION_OUTCOMES)
    await store.delete(verificationKey(catalogKey, backup.name, outcome), signal);
}

/** Archives of a slot that its manifest doesn't name: a machine lost the race for it and could not clean up. */
async function removeLosers(
  store: Store,
  catalogKey: string,
  backup: ListedBackup,
  now: number,
  signal: AbortSignal,
): Promise<void> {
  if (backup.archives.length < 2) return;
  const named = await namedArchive(store, catalogKey, backup, signal);
  if (named.length === 0) return;
  for (const archive of backup.archives)
    if (!named.includes(archive) && isDead(archive, now)) await store.delete(archive.key, signal);
}

async function namedArchive(
  store: Store,
  catalogKey: string,
  backup: ListedBackup,
  signal: AbortSignal,
): Promise<StoredObject[]> {
  const { archive } = await readManifest(store, catalogKey, backup.name, signal).catch((error: unknown) => {
    // Removed by another machine since the listing; anything else must not cost an archive.
    if (error instanceof Failure && error.code === "not-found") return { archive: undefined };
    throw error;
  });
  return backup.archives.filter((object) => object.key === `${catalogKey}/${archive?.name}`);
}
