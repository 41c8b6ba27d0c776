import { datesIn, type LocalDate, spanOf } from "../../../core/calendar";
import type { ListedDay } from "../../../operations/look-at-backups";

const DAY_MS = 24 * 60 * 60_000;
export const CALENDAR_DAYS = 90;

/** How one day was, by the best that it has. */
export type DayState = "verified" | "unverified" | "damaged" | "failed" | "none";

export interface BackupDay {
  /** `2026-11-20`, as the zone's clocks showed it. */
  readonly date: string;
  /** 0 is Monday. */
  readonly weekday: number;
  readonly state: DayState;
  /** How many there are. */
  readonly backups: number;
  readonly verified: number;
}

interface CalendarOptions {
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
  /** IANA's name: days are those of its clocks. */
  readonly timezone: string;
  /** When the last run failed, in milliseconds since the Unix epoch; absent: it did not. Of earlier ones nothing is noted. */
  readonly failedAt?: number | undefined;
}

/** The last 90 days, the oldest first and today last. What is dated after today is left out. */
export function backupDays(
  backups: readonly ListedDay[],
  { now, timezone, failedAt }: CalendarOptions,
): BackupDay[] {
  const dateAt = datesIn(timezone);
  const spell = (instant: number): string => spanOf("day", dateAt(instant));
  // Two days more than any zone's clocks could make a difference of.
  const since = now - (CALENDAR_DAYS + 2) * DAY_MS;
  const byDate = Map.groupBy(
    backups.filter(({ slot }) => slot >= since),
    ({ slot }) => spell(slot),
  );
  const failed = failedAt === undefined ? undefined : spell(failedAt);
  return datesUntil(dateAt(now)).map(({ date, weekday }) => {
    const all = byDate.get(date) ?? [];
    const counts = { backups: all.length, verified: all.filter(isVerified).length };
    return { date, weekday, state: stateOf(all, failed === date), ...counts };
  });
}

/** Counted by dates: a day may have 23 hours, or 25. */
function datesUntil({ year, month, day }: LocalDate): { readonly date: string; readonly weekday: number }[] {
  const today = Date.UTC(year, month - 1, day);
  return Array.from({ length: CALENDAR_DAYS }, (_, index) => {
    const midnight = today - (CALENDAR_DAYS - 1 - index) * DAY_MS;
    const weekday = (new Date(midnight).getUTCDay() + 6) % 7;
    return { date: new Date(midnight).toISOString().slice(0, 10), weekday };
  });
}

function stateOf(backups: readonly ListedDay[], hasFailed: boolean): DayState {
  if (backups.some(isVerified)) return "verified";
  if (backups.some(isWhole)) return "unverified";
  if (hasFailed) return "failed";
  return backups.length > 0 ? "damaged" : "none";
}

function isVerified(backup: ListedDay): boolean {
  return backup.verification === "verified" && backup.hasArchive;
}

function isWhole({ verification, hasArchive }: ListedDay): boolean {
  return verification !== "damaged" && hasArchive;
}
