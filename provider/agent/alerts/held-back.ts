import type { BackupHealth } from "../../core/backup-health";
import type { AddonRecord } from "../../core/facets";
import type { BackupState } from "../../platforms/local/process-state";
import { dueNow } from "../backups/due-now";

/** Half an hour of looks: after a long sleep many add-ons are due at once, and wait for each other. */
const MOST_LOOKS = 360;

/** Who takes the backups. */
export interface AttendedBackups {
  /** Whether one of that add-on is being taken now. */
  readonly isRunning: (name: string) => boolean;
}

export type IsHeldBack = (
  record: AddonRecord,
  state: BackupState | undefined,
  health: BackupHealth,
  now: number,
) => boolean;

/**
 * Whether it is too early to tell anything. A machine that has slept finds its backups overdue and takes them at once:
 * that is no matter for people unless it takes long.
 */
export function heldBack({ isRunning }: AttendedBackups): IsHeldBack {
  const looks = new Map<string, number>();
  return (record, state, health, now) => {
    const { name } = record;
    if (health.state !== "overdue") {
      looks.delete(name);
      return false;
    }
    const held = looks.get(name) ?? 0;
    const isAttended = isRunning(name) || dueNow(record, state, now) !== undefined;
    if (held >= MOST_LOOKS || !isAttended) return false;
    looks.set(name, held + 1);
    return true;
  };
}
