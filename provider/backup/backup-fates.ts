import { keptUntil } from "../core/kept-until";
import type { Retention } from "../core/retention";
import type { Schedule } from "../core/schedule";
import type { Task } from "../core/task";
import type { Store } from "../stores/contract";
import type { Catalog, ListedBackup } from "./catalog";
import { judgeCatalog, type JudgedAddon, retainable } from "./planned-removals";

/** What a policy makes of one backup at this moment. */
export interface BackupFate {
  readonly stays: boolean;
  /** Every rule that wants it, or every rule that no longer does, each a few words. */
  readonly reasons: readonly string[];
  /**
   * ISO 8601: the backup after which it goes, if all of them come on time from now on and are verified; absent: nothing
   * tells.
   */
  readonly until?: string;
}

/** The fate of some backups of a catalog that was just read, by their slots as names spell them. */
export async function backupFates(
  store: Store,
  addon: JudgedAddon,
  catalog: Catalog,
  asked: readonly ListedBackup[],
  { retention, schedule }: { readonly retention: Retention; readonly schedule: Schedule },
  task: Pick<Task, "signal" | "clock">,
): Promise<ReadonlyMap<string, BackupFate>> {
  const now = task.clock.now();
  const storeTime = Math.min(now, catalog.reachedAt);
  const judged = await judgeCatalog(store, addon, catalog, { retention, schedule, storeTime }, task);
  const all = catalog.backups.map((backup) => retainable(backup, storeTime));
  const judging = { now, createdAt: Date.parse(addon.createdAt), schedule };
  const untilOf = keptUntil(all, retention, judging);
  const wanted = new Set(asked);
  return new Map(
    judged.flatMap(({ backup, keep, reasons }, at) => {
      const seen = all[at];
      if (seen === undefined || !wanted.has(backup)) return [];
      const until = untilOf(seen);
      const told = until === undefined ? {} : { until: new Date(until).toISOString() };
      return [[backup.name, { stays: keep, reasons, ...told }] as const];
    }),
  );
}
