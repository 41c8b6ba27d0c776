import { Cron } from "croner";
import { z } from "zod";
import { longestGapOf, newestRun } from "./cron-runs";

const MINUTE = 60_000;
const UNITS = { m: MINUTE, h: 60 * MINUTE, d: 24 * 60 * MINUTE } as const;
const LONGEST_INTERVAL = 366 * UNITS.d;

/** Evaluating a pattern needs some instant to start from; any will do, and the clock must not be read here. */
const ANY_INSTANT = new Date(0);

const IntervalSchema = z.string().superRefine((text, context) => {
  const problem = intervalProblem(text);
  if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
});

const TimeOfDaySchema = z.string().superRefine((text, context) => {
  if (!/^([01]\d|2[0-3]):[0-5]\d$/.test(text))
    context.addIssue({
      code: "custom",
      message: `"${text}" is no time of day: write hours and minutes from "00:00" to "23:59", such as "03:30"`,
    });
});

const CronExpressionSchema = z.string().superRefine((text, context) => {
  const problem = cronProblem(text);
  if (problem !== undefined) context.addIssue({ code: "custom", message: problem });
});

const TimezoneSchema = z.string().superRefine((text, context) => {
  if (!isTimezone(text))
    context.addIssue({
      code: "custom",
      message: `"${text}" is no IANA time zone: write one such as "Europe/Paris", or leave it out for UTC`,
    });
});

/**
 * When backups are due.
 *
 * `every` counts from the Unix epoch in UTC, so that two machines agree on the instants. `daily` and `cron` hold in
 * `timezone` (UTC if absent): a time that a spring change leaves out runs once, right after the gap; one that an
 * autumn change repeats runs once. A cron expression has five fields; one with a wildcard or a step in its minutes or
 * hours names an interval rather than times, and runs in both of the repeated hours (the rule of Vixie cron).
 */
export const ScheduleSchema = z.union(
  [
    z.strictObject({ every: IntervalSchema }, { error: noSchedule }),
    z.strictObject({ daily: TimeOfDaySchema, timezone: TimezoneSchema.optional() }, { error: noSchedule }),
    z.strictObject(
      { cron: CronExpressionSchema, timezone: TimezoneSchema.optional() },
      { error: noSchedule },
    ),
  ],
  { error: noSchedule },
);
export type Schedule = z.infer<typeof ScheduleSchema>;

/**
 * The one slot to run now, if any: the newest that is not after `now`, provided that it is newer than `last` (the
 * newest slot that was backed up) and not from before `since` (when the schedule came into force). After any downtime
 * that is one catch-up, however many slots were missed. Instants are milliseconds since the Unix epoch.
 *
 * A `since` or `last` after `now` comes from a clock that was ahead, and is ignored: nothing would be due until then.
 */
export function dueSlot(
  schedule: Schedule,
  { since, last, now }: { since: number; last: number | undefined; now: number },
): number | undefined {
  const newest = newestSlot(schedule, now);
  if (newest === undefined || (since <= now && newest < since)) return undefined;
  return last === undefined || last > now || newest > last ? newest : undefined;
}

/**
 * How far apart two consecutive slots of a schedule lie at most, in milliseconds. `daily` in a zone with summer time has
 * 25 hours; a pattern that leaves out weekends, three days and perhaps an hour.
 */
export function longestGapMs(schedule: Schedule): number {
  if ("every" in schedule) return parseInterval(schedule.every);
  if ("daily" in schedule && schedule.timezone === undefined) return UNITS.d;
  const key = JSON.stringify(schedule);
  const gapMs = longestGaps.get(key) ?? longestGapOf(cron(schedule), schedule.timezone ?? "UTC");
  // Hundreds of runs are computed for it, and it is asked for at each look at an add-on.
  if (longestGaps.size >= MOST_GAPS_KNOWN) longestGaps.clear();
  longestGaps.set(key, gapMs);
  return gapMs;
}

const longestGaps = new Map<string, number>();
const MOST_GAPS_KNOWN = 200;

/** The first slot after an instant; undefined only for a pattern that names no date any more. */
export function nextSlot(schedule: Schedule, after: number): number | undefined {
  if ("every" in schedule) {
    const interval = parseInterval(schedule.every);
    return Math.floor(after / interval) * interval + interval;
  }
  return cron(schedule).nextRun(new Date(after))?.getTime();
}

function newestSlot(schedule: Schedule, now: number): number | undefined {
  if ("every" in schedule) {
    const interval = parseInterval(schedule.every);
    return Math.floor(now / interval) * interval;
  }
  return newestRun(cron(schedule), now);
}

function cron(schedule: Exclude<Schedule, { every: string }>): Cron {
  const pattern = "daily" in schedule ? dailyPattern(schedule.daily) : schedule.cron;
  return new Cron(pattern, {
    timezone: schedule.timezone ?? "UTC",
    mode: "5-part",
    paused: true,
    // Without it `30 2,14 * * *` would be skipped in a spring gap and run twice in an autumn repeat.
    fixedTimeRule: "no-wildcard",
  });
}

function dailyPattern(timeOfDay: string): string {
  const [hours, minutes] = timeOfDay.split(":");
  return `${Number(minutes)} ${Number(hours)} * * *`;
}

function parseInterval(text: string): number {
  const [, count, unit] = /^(\d+)([mhd])$/.exec(text) ?? [];
  return Number(count) * UNITS[unit as keyof typeof UNITS];
}

function intervalProblem(text: string): string | undefined {
  const right = `write a whole number of minutes, hours or days, such as "30m", "6h" or "1d"`;
  if (/^\d+s$/.test(text)) return `"${text}" is counted in seconds: ${right}`;
  if (!/^\d+[mhd]$/.test(text)) return `"${text}" is no interval: ${right}`;
  const interval = parseInterval(text);
  if (interval < MINUTE) return `"${text}" is less than a minute, the shortest interval: ${right}`;
  if (interval > LONGEST_INTERVAL) return `"${text}" is more than 366 days, the longest interval: ${right}`;
  return undefined;
}

function cronProblem(text: string): string | undefined {
  const right = `write minute, hour, day of month, month and day of week, such as "30 3 * * *"`;
  try {
    const pattern = new Cron(text, { timezone: "UTC", mode: "5-part", paused: true });
    if (pattern.nextRun(ANY_INSTANT) === null) return `"${text}" names a date that no year has: ${right}`;
    return undefined;
  } catch (error) {
    const why = (error instanceof Error ? error.message : String(error)).replace(/^Cron\w*: /, "");
    return `"${text}" is no cron expression (${why.replace(/\.$/, "")}): ${right}`;
  }
}

function isTimezone(text: string): boolean {
  // Intl takes fixed offsets such as "+02:00" too; they know no summer time and would surprise twice a year.
  if (!/^[A-Za-z]/.test(text)) return false;
  try {
    Intl.DateTimeFormat("en", { timeZone: text });
    return true;
  } catch {
    return false;
  }
}

function noSchedule({ input }: { readonly input?: unknown }): string {
  const described = input === undefined ? "an absent value" : (JSON.stringify(input) ?? typeof input);
  return (
    `${described} is no schedule: write { every: "6h" }, { daily: "03:30", timezone? } or ` +
    `{ cron: "30 3 * * *", timezone? }`
  );
}
