import { backupHealth } from "../../core/backup-health";
import { parseDestination } from "../../core/destination";
import { DEFAULT_BACKUPS } from "../../core/facets";
import { s3Url } from "../../core/s3-destination";
import { nextSlot } from "../../core/schedule";
import type { BackupsState } from "../../core/status";
import type { Task } from "../../core/task";
import type { BackupRun, Placement } from "../../platforms/contract";

/** When an add-on is backed up, where to, and how the last time went. */
export function backupsOf({ record, destination, lastRun }: Placement, task: Task): BackupsState {
  const { schedule, retention } = record.backups?.wish ?? DEFAULT_BACKUPS;
  const now = task.clock.now();
  const next = nextSlot(schedule, now);
  return {
    schedule,
    retention,
    catalog: `${shown(destination)}/${record.catalogKey}`,
    health: backupHealth({ schedule, since: 0, newestVerifiedAt: undefined, lastRun: undefined }, now),
    ...(next === undefined ? {} : { next: new Date(next).toISOString() }),
    ...(lastRun === undefined ? {} : { lastRun: runOf(lastRun) }),
  };
}

/** What keys are joined to: without a store's parameters, which say where it answers. */
function shown(destination: string): string {
  const parsed = parseDestination(destination);
  return parsed.kind === "s3" ? s3Url(parsed) : destination.replace(/\/$/, "");
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
