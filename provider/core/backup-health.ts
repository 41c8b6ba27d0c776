import type { AddonRecord, BackupsWish } from "./facets";
import { longestGapMs } from "./schedule";
import { scheduleInForce } from "./schedule-in-force";
import type { VerificationOutcome } from "./verification";

const HOUR_MS = 3_600_000;
/** How long a backup may take, with its verification, before its absence is a matter for people. */
const ALLOWANCE_MS = 2 * HOUR_MS;

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
  readonly lastRun: LastRun | undefined;
}

interface LastRun {
  readonly failed: boolean;
  readonly detail: string;
  /** Of one that did not fail; absent: nobody looked at what it stored. */
  readonly verification?: VerificationOutcome | undefined;
}

/**
 * Judges them. A new add-on, and a new schedule, are given the time until their first backup is due. An instant that
 * lies further in the future than backups are allowed to be old was noted by a clock that was ahead, and counts for
 * nothing; a clock that was set back by less is no reason to doubt what is there.
 */
export function backupHealth(
  { schedule, since, newestVerifiedAt, lastRun }: KnownBackups,
  now: number,
): BackupHealth {
  const gapMs = longestGapMs(schedule);
  const limitMs = gapMs + ALLOWANCE_MS;
  const verified =
    newestVerifiedAt !== undefined && newestVerifiedAt <= now + limitMs ? newestVerifiedAt : undefined;
  // Where all of them are from the future nothing tells how long it has been.
  const base = Math.max(verified ?? -Infinity, since <= now ? since : -Infinity);
  if (base !== -Infinity && now - base > limitMs)
    return { state: "overdue", why: overdue({ since, gapMs, verified, lastRun }) };
  if (lastRun?.failed === true) return { state: "failing", why: lastRun.detail };
  return { state: "fresh" };
}

function overdue({ since, gapMs, verified, lastRun }: Overdue): string {
  const found =
    verified === undefined
      ? `no verified backup since ${iso(since)}, when the schedule came into force`
      : `no verified backup since ${iso(verified)}`;
  return [`${found}: the schedule wants one each ${lengthOf(gapMs)}`, ...whyNot(lastRun)].join("; ");
}

/** What its platform noted of the last run; absent: there was none. */
type NotedRun =
  | {
      readonly outcome: "backed-up" | "failed";
      readonly detail: string;
      readonly verification?: VerificationOutcome;
      readonly newestVerifiedAt?: number;
    }
  | undefined;

/** The same of an add-on. One that is being removed is backed up a last time, and by no schedule. */
export function backupHealthOf(record: AddonRecord, run: NotedRun, now: number): BackupHealth {
  if (record.removing !== undefined) return { state: "fresh" };
  const { schedule, since } = scheduleInForce(record, now);
  const lastRun = run && { ...run, failed: run.outcome === "failed" };
  const newestVerifiedAt = run?.newestVerifiedAt;
  return backupHealth({ schedule, since: Date.parse(since), newestVerifiedAt, lastRun }, now);
}

interface Overdue extends Pick<KnownBackups, "since" | "lastRun"> {
  readonly gapMs: number;
  readonly verified: number | undefined;
}

/** What became of the last run, where that tells why there is no newer one. */
function whyNot(lastRun: LastRun | undefined): string[] {
  if (lastRun === undefined) return [];
  if (lastRun.failed) return [`the last run failed: ${lastRun.detail}`];
  switch (lastRun.verification) {
    case "verified":
      return [];
    case "structure-checked":
      return ["the last one could only be structure checked: nothing there can load it"];
    case "damaged":
      return ["the last one is damaged"];
    case undefined:
      return ["the last one was not verified"];
  }
}

function iso(instant: number): string {
  return new Date(instant).toISOString();
}

/** `15 minutes`, `25 h`, `73 h`, `31 days`. */
function lengthOf(ms: number): string {
  if (ms < HOUR_MS) return `${Math.round(ms / 60_000)} minutes`;
  const hours = Math.round((ms / HOUR_MS) * 10) / 10;
  return hours <= 100 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}
