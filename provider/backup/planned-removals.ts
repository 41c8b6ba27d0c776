import { Failure } from "../core/errors";
import { judgeAmong, type Retainable, type Retention } from "../core/retention";
import type { Schedule } from "../core/schedule";
import type { Task } from "../core/task";
import type { Store } from "../stores/contract";
import { type Catalog, type ListedBackup, readCatalog, readManifest } from "./catalog";
import { isHeld } from "./dead";

/** Whose backups are judged: `createdAt` is ISO 8601. */
export interface JudgedAddon {
  readonly catalogKey: string;
  readonly createdAt: string;
}

/** What a pruning would do at this moment. Oldest first, slots as names spell them. */
export interface PlannedRemovals {
  readonly removals: readonly {
    readonly slot: string;
    /** Of its archive, as it is stored. */
    readonly sizeBytes: number;
    /** Every rule that no longer wants it, each a few words. */
    readonly reasons: readonly string[];
  }[];
  readonly kept: readonly {
    readonly slot: string;
    /** Every rule that wants it, each a few words. */
    readonly reasons: readonly string[];
  }[];
}

/**
 * What a retention would remove from a catalog, and what it would keep, each with its reasons. It only reads; `known`:
 * the catalog as it was read before, for several questions about one moment.
 */
export async function plannedRemovals(
  store: Store,
  addon: JudgedAddon,
  retention: Retention,
  schedule: Schedule | undefined,
  task: Pick<Task, "signal" | "clock">,
  known?: Catalog,
): Promise<PlannedRemovals> {
  const catalog = known ?? (await readCatalog(store, addon.catalogKey, task.signal));
  const storeTime = Math.min(task.clock.now(), catalog.reachedAt);
  const judged = await judgeCatalog(store, addon, catalog, { retention, schedule, storeTime }, task);
  return {
    removals: judged.flatMap(({ backup: { name, archives }, keep, reasons }) =>
      keep
        ? []
        : [{ slot: name, sizeBytes: archives.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0), reasons }],
    ),
    kept: judged.flatMap(({ backup, keep, reasons }) => (keep ? [{ slot: backup.name, reasons }] : [])),
  };
}

interface JudgedBackup {
  readonly backup: ListedBackup;
  readonly keep: boolean;
  readonly reasons: readonly string[];
}

/** A verdict on each backup of a catalog that was just read, oldest first; `storeTime` is the store's own clock. */
export async function judgeCatalog(
  store: Store,
  { catalogKey, createdAt }: JudgedAddon,
  { backups }: Catalog,
  rules: {
    readonly retention: Retention;
    readonly schedule: Schedule | undefined;
    readonly storeTime: number;
  },
  { signal, clock }: Pick<Task, "signal" | "clock">,
): Promise<JudgedBackup[]> {
  const { retention, schedule, storeTime } = rules;
  const judging = { now: clock.now(), createdAt: Date.parse(createdAt), schedule };
  const spoilt = await spoiltOf(store, catalogKey, backups, judging, signal);
  const seen = (backup: ListedBackup) => retainable(backup, storeTime);
  const judge = judgeAmong(backups.filter((backup) => !spoilt.has(backup)).map(seen), retention, judging);
  return backups.map((backup) =>
    spoilt.has(backup) ? { backup, keep: true, reasons: SPOILT } : { backup, ...judge(seen(backup)) },
  );
}

const SPOILT = ["its manifest or archive was damaged since it was verified: a newer verified one decides"];

/** What the rules need to know of a backup. */
export function retainable(backup: ListedBackup, storeTime: number): Retainable {
  const held = isHeld(backup, storeTime);
  // One without its archive can't be restored: it must not count as the newest, at a good one's expense.
  const verification = backup.hasArchive ? backup.verification : "damaged";
  if (held === backup.held && verification === backup.verification) return backup;
  return { slot: backup.slot, pinned: backup.pinned, held, verification };
}

/**
 * Those that a listing shows as verified and the newest, of this add-on or of an earlier one, but whose manifest or
 * archive was damaged since, as far as that can be seen without reading the archive: they would cost the one that can
 * still be restored. They stay until a newer one is verified: it may be the way here that damages what is read.
 */
async function spoiltOf(
  store: Store,
  catalogKey: string,
  backups: readonly ListedBackup[],
  { now, createdAt }: { readonly now: number; readonly createdAt: number },
  signal: AbortSignal,
): Promise<Set<ListedBackup>> {
  const spoilt = new Set<ListedBackup>();
  for (const before of [Infinity, createdAt]) {
    for (let at = backups.length - 1; at >= 0; at--) {
      const backup = backups[at];
      const counts =
        backup !== undefined &&
        backup.slot <= now &&
        backup.slot < before &&
        backup.verification === "verified" &&
        backup.hasArchive;
      if (!counts) continue;
      if (!spoilt.has(backup) && !(await isSpoilt(store, catalogKey, backup, signal))) break;
      spoilt.add(backup);
    }
  }
  return spoilt;
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
