import { backupHealthOf } from "../../core/backup-health";
import { catalogUrl } from "../../core/catalog-url";
import { DEFAULT_BACKUPS } from "../../core/facets";
import { nextSlot } from "../../core/schedule";
import type { BackupsState } from "../../core/status";
import type { Task } from "../../core/task";
import type { BackupRun, Placement } from "../../platforms/contract";

/** When an add-on is backed up, where to, how the last time went, and whether its backups can be relied on. */
export function backupsOf({ record, destination, lastRun }: Placement, task: Task): BackupsState {
  const { schedule, retention } = record.backups?.wish ?? DEFAULT_BACKUPS;
  const now = task.clock.now();
  const next = nextSlot(schedule, now);
  const verified = lastRun?.newestVerifiedAt;
  return {
    schedule,
    retention,
    catalog: catalogUrl(destination, record.catalogKey),
    health: backupHealthOf(record, lastRun, now),
    ...(verified === undefined ? {} : { newestVerified: new Date(verified).toISOString() }),
    ...(next === undefined ? {} : { next: new Date(next).toISOString() }),
    ...(lastRun === undefined ? {} : { lastRun: runOf(lastRun) }),
  };
}

/** Without what the platform notes besides for itself. */
function runOf({
  at,
  outcome,
  detail,
  verification,
  warnings,
}: BackupRun): NonNullable<BackupsState["lastRun"]> {
  return {
    ...{ at, outcome, detail },
    ...(verification === undefined ? {} : { verification }),
    ...(warnings === undefined ? {} : { warnings }),
  };
}
