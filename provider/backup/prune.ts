import { asFailure, type Failure, type FailureReport } from "../core/errors";
import type { Retention } from "../core/retention";
import type { Schedule } from "../core/schedule";
import type { Task } from "../core/task";
import type { Store, StoredObject } from "../stores/contract";
import { type ListedBackup, readCatalog, storeTimeOf } from "./catalog";
import { isDead } from "./dead";
import { type JudgedAddon, judgeCatalog } from "./planned-removals";
import { namedArchive } from "./remove-backup";
import { removeMany } from "./remove-many";
import { stillFree } from "./still-free";

/**
 * Backups that are removed between two looks: the first time so many, then twice as many as long as that takes no time
 * to speak of. Their number is what a folder's disk is waited for, and what a pin comes too late for.
 */
const FIRST_BATCH = 1000;
const LARGEST_BATCH = 16_000;
const SOON_MS = 2_000;
/** Of more than one batch, what a listing told that began no longer ago is not asked again: that costs as much once more. */
const FRESH_MS = 2_000;

export interface Pruned {
  /** The slots that retention removed, oldest first. */
  readonly removed: readonly string[];
  /** The first thing that could not be removed; the others were tried none the less. */
  readonly failure: FailureReport | undefined;
}

/**
 * Removes what the retention no longer wants, and what interrupted attempts left. `retain` says what stays whatever the
 * retention says; without a retention every backup does. `schedule` is the add-on's, if it has one.
 *
 * What is pinned or held while this goes on stays as well: it is looked at again right before each batch, and nothing of
 * a batch goes before that look; only where a thousand and more go is a listing relied on that began less than two seconds
 * ago. No store lets anybody look and remove in one: what is pinned or held within the moment between the look at a batch
 * and the removal of its manifests may go none the less. Whoever pins or holds looks again once that is written, and says
 * so where the backup has gone by then.
 *
 * Each backup of the catalog takes some 350 bytes of memory meanwhile, so that a million fit into 350 MB; all else that is
 * held is of one batch, or of one page of a listing.
 */
export async function prune(
  store: Store,
  addon: JudgedAddon,
  retention: Retention | undefined,
  schedule: Schedule | undefined,
  task: Task,
): Promise<Pruned> {
  const { catalogKey } = addon;
  const { signal } = task;
  const listedAt = task.clock.now();
  const catalog = await readCatalog(store, catalogKey, signal);
  const storeTime = await storeTimeOf(store, catalogKey, catalog, task);
  const { going, staying } =
    retention === undefined
      ? { going: [], staying: catalog.backups }
      : parted(await judgeCatalog(store, addon, catalog, { retention, schedule, storeTime }, task));
  const removed: string[] = [];
  let first: Failure | undefined;
  try {
    for (let from = 0, atOnce = FIRST_BATCH; from < going.length;) {
      const beganAt = task.clock.now();
      const batch = going.slice(from, from + atOnce);
      // A clock that was set back tells nothing.
      const isFresh = going.length > FIRST_BATCH && beganAt >= listedAt && beganAt - listedAt < FRESH_MS;
      const free = isFresh ? batch : await stillFree(store, catalogKey, batch, storeTime, signal);
      const done = await removeMany(store, catalogKey, free, storeTime, task);
      removed.push(...done.removed);
      first ??= [...done.failures.values()][0];
      from += atOnce;
      if (from < going.length)
        task.progress({
          message: `removed ${removed.length} of ${going.length} backups that are no longer kept`,
        });
      if (task.clock.now() - beganAt < SOON_MS) atOnce = Math.min(2 * atOnce, LARGEST_BATCH);
    }
    const beside = await leftBeside(store, catalogKey, staying, storeTime, signal);
    first ??= beside.failure;
    const orphans = catalog.orphans.filter((orphan) => isDead(orphan, storeTime));
    const leftovers = [...orphans.map(({ key }) => key), ...beside.keys];
    if (leftovers.length > 0) first ??= (await store.deleteMany(leftovers, signal))[0]?.failure;
    await store.sweep(catalogKey, signal);
  } catch (error) {
    signal.throwIfAborted();
    first ??= asFailure(error, "remove", store.url);
  }
  return { removed, failure: first?.report() };
}

function parted(judged: Awaited<ReturnType<typeof judgeCatalog>>) {
  const going: ListedBackup[] = [];
  const staying: ListedBackup[] = [];
  for (const { backup, keep } of judged) (keep ? staying : going).push(backup);
  return { going, staying };
}

/** What lies beside backups that stay: archives of machines that lost the race for a slot, holds of restores that died. */
async function leftBeside(
  store: Store,
  catalogKey: string,
  staying: readonly ListedBackup[],
  storeTime: number,
  signal: AbortSignal,
): Promise<{ readonly keys: readonly string[]; readonly failure: Failure | undefined }> {
  const left: StoredObject[] = [];
  let failure: Failure | undefined;
  for (const backup of staying) {
    left.push(...backup.holds.filter((hold) => isDead(hold, storeTime)));
    const { archives } = backup;
    const dead = archives.filter((archive) => isDead(archive, storeTime));
    if (archives.length < 2 || dead.length === 0) continue;
    try {
      const named = await namedArchive(store, catalogKey, backup, signal);
      // Where its own is not there, nothing tells what the others are.
      if (named.length > 0) left.push(...dead.filter((archive) => !named.includes(archive)));
    } catch (error) {
      signal.throwIfAborted();
      failure ??= asFailure(error, "remove", backup.name);
    }
  }
  return { keys: left.map(({ key }) => key), failure };
}
