import { asFailure, Failure, type FailureReport } from "../core/errors";
import { type Retention, retain } from "../core/retention";
import type { Task } from "../core/task";
import type { Store, StoredObject } from "../stores/contract";
import { type ListedBackup, readCatalog, readListed, readManifest } from "./catalog";
import { namedArchive, removeBackup } from "./remove-backup";

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
 * Removes what the retention no longer wants, and what interrupted attempts left. Backups from before the add-on's `createdAt` (ISO 8601)
 * stay, whatever the retention says; without a retention every backup does.
 */
export async function prune(
  store: Store,
  { catalogKey, createdAt }: { readonly catalogKey: string; readonly createdAt: string },
  retention: Retention | undefined,
  task: Task,
): Promise<Pruned> {
  const now = task.clock.now();
  const { backups, orphans, reachedAt } = await readCatalog(store, catalogKey, task.signal);
  // A clock here that jumped ahead must not make another machine's upload look dead: the store has its own.
  const storeTime = Math.min(now, reachedAt);
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
  const present = backups.filter((backup) => backup.archives.length > 0);
  const whole = retention === undefined ? present : await unspoilt(store, catalogKey, present, task.signal);
  const judged =
    retention === undefined
      ? whole.map((backup) => ({ backup, keep: true }))
      : retain(whole, retention, now, Date.parse(createdAt));
  for (const { backup, keep } of judged) {
    if (keep)
      await attempt(backup.name, () => removeLosers(store, catalogKey, backup, storeTime, task.signal));
    else
      await attempt(backup.name, async () => {
        // Looked at again: it may have been pinned, or removed, while others were being removed.
        const current = await readListed(store, catalogKey, backup.name, task.signal);
        if (current === undefined || current.pinned) return;
        await removeBackup(store, catalogKey, current, task.signal);
        removed.push(backup.name);
        if (removed.length % TELL_EVERY === 0)
          task.progress({ message: `removed ${removed.length} backups that are no longer kept` });
      });
  }
  for (const orphan of orphans.filter((object) => isDead(object, storeTime)))
    await attempt(orphan.key, () => store.delete(orphan.key, task.signal));
  await attempt(store.url, async () => void (await store.sweep(catalogKey, task.signal)));
  return { removed, failure };
}

/**
 * Without those that a listing shows as verified and newest, but whose manifest or archive was damaged since, as far as
 * that can be seen without reading the archive: they would cost the one that can still be restored.
 */
async function unspoilt(
  store: Store,
  catalogKey: string,
  backups: readonly ListedBackup[],
  signal: AbortSignal,
): Promise<readonly ListedBackup[]> {
  const newest = backups.findLast(({ verification }) => verification === "verified");
  if (newest === undefined || !(await isSpoilt(store, catalogKey, newest, signal))) return backups;
  const others = backups.filter((backup) => backup !== newest);
  return unspoilt(store, catalogKey, others, signal);
}

async function isSpoilt(
  store: Store,
  catalogKey: string,
  { name, archives }: ListedBackup,
  signal: AbortSignal,
): Promise<boolean> {
  try {
    const { archive } = await readManifest(store, catalogKey, name, signal);
    const stored = archives.find(({ key }) => key === `${catalogKey}/${archive.name}`);
    return stored?.sizeBytes !== archive.sizeBytes;
  } catch (error) {
    if (error instanceof Failure && ["manifest-damaged", "not-found"].includes(error.code)) return true;
    throw error;
  }
}

function isDead(object: StoredObject, storeTime: number): boolean {
  return storeTime - object.modifiedAt > DEAD_AFTER_MS;
}

/** Archives of a slot that its manifest doesn't name: a machine lost the race for it and could not clean up. */
async function removeLosers(
  store: Store,
  catalogKey: string,
  backup: ListedBackup,
  storeTime: number,
  signal: AbortSignal,
): Promise<void> {
  if (backup.archives.length < 2) return;
  const named = await namedArchive(store, catalogKey, backup, signal);
  if (named.length === 0) return;
  for (const archive of backup.archives)
    if (!named.includes(archive) && isDead(archive, storeTime)) await store.delete(archive.key, signal);
}
