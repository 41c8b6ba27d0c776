import type { BackupsWish } from "./facets";

/** Whether an add-on's backups can be relied on at this moment. */
export interface BackupHealth {
  /** `failing`: the last run failed. `overdue`: no verified backup is younger than the schedule's longest gap and two hours. */
  readonly state: "fresh" | "failing" | "overdue";
  /** A sentence; absent where they are fresh. */
  readonly why?: string;
}

/** What is known of an add-on's backups without asking its store. Instants are milliseconds since the Unix epoch. */
export interface KnownBackups {
  readonly schedule: BackupsWish["schedule"];
  /** Since when the schedule is in force: what is older than that is no reproach. */
  readonly since: number;
  /** The slot of the newest one that was verified; absent: none is known. */
  readonly newestVerifiedAt: number | undefined;
  /** How the last run went; absent: there was none. */
  readonly lastRun: { readonly failed: boolean; readonly detail: string } | undefined;
}

/** Judges them. */
export function backupHealth(_known: KnownBackups, _now: number): BackupHealth {
  return { state: "fresh" };
}
