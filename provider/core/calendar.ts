const DAY_MS = 24 * 60 * 60_000;

/** The calendar's spans that backups are kept by; a week is ISO 8601's, which begins on Monday. */
type Span = "day" | "week" | "month" | "year";

/** A date without a time, in somebody's zone. */
export interface LocalDate {
  readonly year: number;
  /** From 1. */
  readonly month: number;
  readonly day: number;
}

/** Tells which date it is at an instant, in milliseconds since the Unix epoch. `timezone` is IANA's name of one. */
export function datesIn(timezone: string): (instant: number) => LocalDate {
  if (timezone === "UTC") return utcDate;
  const format = new Intl.DateTimeFormat("en-US", {
    timeZone: timezone,
    calendar: "iso8601",
    year: "numeric",
    month: "2-digit",
    day: "2-digit",
  });
  // Each is asked for by several rules, and a zone's date takes some 20 microseconds.
  const known = new Map<number, LocalDate>();
  return (instant) => {
    const found = known.get(instant);
    if (found !== undefined) return found;
    const parts = format.formatToParts(instant);
    const numberOf = (wanted: string) => Number(parts.find(({ type }) => type === wanted)?.value);
    const date = { year: numberOf("year"), month: numberOf("month"), day: numberOf("day") };
    known.set(instant, date);
    return date;
  };
}

/** How one span is spelt, `2026-11-20`, `2026-W47`, `2026-11` or `2026`: of two dates alike exactly where they share it. */
export function spanOf(span: Span, { year, month, day }: LocalDate): string {
  switch (span) {
    case "day":
      return `${padded(year, 4)}-${padded(month, 2)}-${padded(day, 2)}`;
    case "week":
      return isoWeek(Date.UTC(year, month - 1, day));
    case "month":
      return `${padded(year, 4)}-${padded(month, 2)}`;
    case "year":
      return padded(year, 4);
  }
}

/** A week belongs to the year that its Thursday lies in. */
function isoWeek(midnight: number): string {
  const daysSinceMonday = (new Date(midnight).getUTCDay() + 6) % 7;
  const thursday = midnight + (3 - daysSinceMonday) * DAY_MS;
  const year = new Date(thursday).getUTCFullYear();
  const week = Math.floor((thursday - Date.UTC(year, 0, 1)) / (7 * DAY_MS)) + 1;
  return `${padded(year, 4)}-W${padded(week, 2)}`;
}

function utcDate(instant: number): LocalDate {
  const date = new Date(instant);
  return { year: date.getUTCFullYear(), month: date.getUTCMonth() + 1, day: date.getUTCDate() };
}

function padded(value: number, digits: number): string {
  return String(value).padStart(digits, "0");
}
