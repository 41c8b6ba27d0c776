import type { BackupHealth } from "../../core/backup-health";
import type { BackupReason } from "../../core/manifest";
import { memoryText } from "../../core/memory-size";
import type { Restored, RestoreOrigin, Restoring } from "../../core/restore";
import type { Retention } from "../../core/retention";
import type { Schedule } from "../../core/schedule";
import type { BackupsState } from "../../core/status";
import { VERIFICATION_WORDS } from "../../core/verification";
import type { BackupStatus, StoredBackups } from "../backup-status";
import { ageText } from "./age";

export function scheduleWords(schedule: Schedule): string {
  if ("every" in schedule) return `every ${schedule.every}`;
  const zone = schedule.timezone ?? "UTC";
  return "daily" in schedule ? `daily at ${schedule.daily} (${zone})` : `cron ${schedule.cron} (${zone})`;
}

/** The rules that keep the newest backup of each of so many periods. */
const PERIODS = { daily: "day", weekly: "week", monthly: "month", yearly: "year" } as const;

/** How long backups are kept: `7 days or the last 3 or one a week for 4 weeks, at least 2`. */
export function retentionWords(retention: Retention): string {
  const { days, keepLast, minimum } = retention;
  const periods = Object.entries(PERIODS).flatMap(([rule, period]) => {
    const count = retention[rule as keyof typeof PERIODS];
    return count === undefined ? [] : [`one a ${period} for ${several(count, period)}`];
  });
  const rules = [
    ...(days === undefined ? [] : [several(days, "day")]),
    ...(keepLast === undefined ? [] : [`the last ${keepLast}`]),
    ...periods,
  ];
  return `${rules.join(" or ")}${minimum === undefined ? "" : `, at least ${minimum}`}`;
}

function several(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

/** Why a backup was taken: `scheduled`, `on demand`, `final`, `safety`, `before an upgrade`. */
export function reasonWords({
  reason,
  purpose,
}: {
  readonly reason: BackupReason;
  /** As its manifest says; absent: none in particular. */
  readonly purpose?: string | undefined;
}): string {
  if (purpose === "upgrade") return "before an upgrade";
  return purpose ?? (reason === "demand" ? "on demand" : reason);
}

/** `fresh`, `overdue: no verified backup since …`. */
export function healthWords({ state, why }: BackupHealth): string {
  return why === undefined ? state : `${state}: ${why}`;
}

/** With what only a look into the store tells. */
interface NewestVerified extends BackupsState, Pick<BackupStatus, "missing"> {}

/** When the newest verified one was taken, in a column: `5 h ago`, `never`; `not found`: what was noted isn't there. */
export function newestVerifiedCell({ newestVerified, missing }: NewestVerified, now: number): string {
  if (newestVerified === undefined) return missing === undefined ? "never" : "not found";
  return `${ageText(now - Date.parse(newestVerified))} ago`;
}

/** `2026-05-01T03:00:00.000Z, 5 h ago`. */
export function newestVerifiedWords(backups: NewestVerified, now: number): string {
  const { newestVerified, missing } = backups;
  if (newestVerified === undefined)
    return missing === undefined ? "none is known" : `${missing} is noted, but not found at the destination`;
  return `${newestVerified}, ${newestVerifiedCell(backups, now)}`;
}

export function lastRunWords({ lastRun }: BackupsState): string {
  if (lastRun === undefined) return "none yet";
  const { at, outcome, detail, verification } = lastRun;
  const proved = verification === undefined ? [] : [VERIFICATION_WORDS[verification]];
  return [`${at}: ${OUTCOME_WORDS[outcome]}`, detail, ...proved].join(", ");
}

/** The same in a column. */
export function lastRunCell({ lastRun }: BackupsState): string {
  return lastRun === undefined ? "-" : `${lastRun.at} ${OUTCOME_WORDS[lastRun.outcome]}`;
}

const OUTCOME_WORDS: Readonly<Record<NonNullable<BackupsState["lastRun"]>["outcome"], string>> = {
  "backed-up": "backed up",
  failed: "failed",
};

export function nextRunWords({
  next,
  unattended,
}: Pick<BackupsState, "next"> & Pick<BackupStatus, "unattended">): string {
  if (next === undefined) return "never";
  return unattended === undefined ? next : `${next}, if an agent runs then`;
}

/** `14, 3.4 GiB, 13 of them verified`. */
export function storedWords(stored: StoredBackups): string {
  if ("unknown" in stored) return `not known: ${stored.unknown}`;
  const { backups, verified, sizeBytes } = stored;
  if (backups === 0) return "none";
  const known = verified === backups ? "all verified" : `${verified} of them verified`;
  return `${backups}, ${memoryText(sizeBytes)}, ${known}`;
}

/** `20260501T030000000Z of cache, at 2026-05-02T10:00:00.000Z, 2000 keys; what it had: backup …`. */
export function restoredWords({ from, backup, at, keys, safetyBackup }: Restored): string {
  const counted = keys === undefined ? "" : `, ${keys} keys`;
  return `${originWords(from, backup)}, at ${at}${counted}${before(safetyBackup)}`;
}

/** One that is under way. */
export function restoringWords({ from, backup, since, safetyBackup }: Restoring): string {
  return `from ${originWords(from, backup)}, since ${since}${before(safetyBackup)}`;
}

function originWords(from: RestoreOrigin, backup: string): string {
  if ("addon" in from) return `${backup} of ${from.addon}`;
  // The URL of a lone archive names it already.
  const path = from.url.replace(/[?#].*$/, "");
  const isNamed = [backup, encodeURIComponent(backup)].some((name) => path.endsWith(`/${name}`));
  return isNamed ? from.url : `${backup} of ${from.url}`;
}

function before(safetyBackup: string | undefined): string {
  return safetyBackup === undefined ? "" : `; what it held before is in backup ${safetyBackup}`;
}
