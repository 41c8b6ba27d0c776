import { asFailure, type Failure } from "../core/errors";
import { parseEnding } from "../core/manifest";
import type { Task } from "../core/task";
import type { Store } from "../stores/contract";
import type { ListedBackup } from "./catalog";
import { isDead } from "./dead";
import { namedArchive } from "./remove-backup";

interface RemovedMany {
  /** The slots of those of which nothing is left, in the given order. */
  readonly removed: readonly string[];
  /** By slot; of one such backup there may be anything left but what vouches for it. */
  readonly failures: ReadonlyMap<string, Failure>;
}

interface Removal {
  readonly backup: ListedBackup;
  readonly name: string;
  /** The keys of those of its archives that go. */
  readonly archives: readonly string[];
}

/** In turn: a later step begins once the earlier ones of all backups are done, and for good. */
const STEPS = ["vouching", "manifest", "rest"] as const;
type Step = (typeof STEPS)[number];

/**
 * Removes several backups at once, by as few requests as the store permits, in the order of `removeWith`: what vouches
 * for any of them, then all manifests, then their archives and the rest. So it may be interrupted anywhere: no archive
 * goes while a manifest names it, and what is left without a manifest is an orphan that the next pruning removes.
 * Fails where the store can't be asked at all; what it can't remove of one backup is told, and costs no other.
 */
export async function removeMany(
  store: Store,
  catalogKey: string,
  backups: readonly ListedBackup[],
  storeTime: number,
  task: Pick<Task, "signal" | "progress">,
): Promise<RemovedMany> {
  const { signal } = task;
  const failures = new Map<string, Failure>();
  let removals: Removal[] = [];
  for (const backup of backups) {
    const { name } = backup;
    try {
      const archives = await archivesToRemove(store, catalogKey, backup, storeTime, signal);
      removals.push({ backup, name, archives });
    } catch (error) {
      signal.throwIfAborted();
      failures.set(name, asFailure(error, "remove", name));
    }
  }
  for (const step of STEPS) {
    // A slow store's pruning must not look like a job that hangs.
    task.progress({ message: "removing backups that are no longer kept" });
    const keys = removals.flatMap((removal) => keysOf(catalogKey, removal, step));
    const failed = new Map(
      (keys.length === 0 ? [] : await store.deleteMany(keys, signal)).map(
        ({ key, failure }) => [key, failure] as const,
      ),
    );
    if (failed.size === 0) continue;
    removals = removals.filter((removal) => {
      const key = keysOf(catalogKey, removal, step).find((one) => failed.has(one));
      const failure = key === undefined ? undefined : failed.get(key);
      if (failure !== undefined) failures.set(removal.name, failure);
      return failure === undefined;
    });
  }
  return { removed: removals.map(({ name }) => name), failures };
}

/** What goes of a backup in one step. */
function keysOf(catalogKey: string, { backup, name, archives }: Removal, step: Step): string[] {
  const keys = backup.endings
    .filter((ending) => stepOf(name, ending) === step)
    .map((ending) => `${catalogKey}/${name}${ending}`);
  return step === "rest" ? [...archives, ...backup.holds.map(({ key }) => key), ...keys] : keys;
}

function stepOf(name: string, ending: string): Step {
  const parsed = parseEnding(name, ending);
  if (parsed?.kind === "manifest") return "manifest";
  return parsed?.kind === "verification" && parsed.outcome === "verified" ? "vouching" : "rest";
}

/**
 * An archive that is a day old by the store's clock is the backup's own, or that of a machine that lost the race for its
 * slot and is gone: it goes whatever the manifest says, which need not be read. A younger one may be another machine's
 * that is about to put its manifest: as soon as ours is removed it may win the slot, and would then have a manifest
 * without its archive. So where there is one, the manifest tells which archive is the backup's, and the other waits as
 * an orphan for its machine or its end.
 *
 * A machine that slept for longer than a day between its archive and its manifest finds out as well: it verifies what it
 * has just stored, and removes a backup that turns out to have no archive.
 */
async function archivesToRemove(
  store: Store,
  catalogKey: string,
  backup: ListedBackup,
  storeTime: number,
  signal: AbortSignal,
): Promise<string[]> {
  const { archives } = backup;
  const dead = archives.filter((archive) => isDead(archive, storeTime));
  if (dead.length === archives.length) return dead.map(({ key }) => key);
  const named = await namedArchive(store, catalogKey, backup, signal);
  return [...new Set([...dead, ...named])].map(({ key }) => key);
}
