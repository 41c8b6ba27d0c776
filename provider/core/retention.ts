import { z } from "zod";
import { datesIn, spanOf } from "./calendar";
import { gapEnding } from "./retention-gap";
import type { Schedule } from "./schedule";
import type { VerificationOutcome } from "./verification";

export const DAY_MS = 24 * 60 * 60_000;

function positive(what: string) {
  const message = `write a whole number of ${what}, at least 1`;
  return z.number({ error: message }).int({ error: message }).min(1, { error: message });
}

/**
 * How long backups are kept. The rules are a union: a backup goes only when none of them wants it.
 *
 * `days` wants what is at most so old, `keepLast` the newest so many. `daily`, `weekly`, `monthly` and `yearly` want the
 * newest of each of the last so many days, ISO weeks, months and years in which there is one, by the schedule's time
 * zone (UTC if absent). However old they are, the newest `minimum` backups stay, 1 if absent.
 */
export const RetentionSchema = z
  .strictObject({
    days: positive("days").optional(),
    keepLast: positive("backups").optional(),
    daily: positive("days").optional(),
    weekly: positive("weeks").optional(),
    monthly: positive("months").optional(),
    yearly: positive("years").optional(),
    minimum: positive("backups").optional(),
  })
  .refine(({ minimum: _, ...rules }) => Object.values(rules).some((rule) => rule !== undefined), {
    error: "say how long backups are kept: { days: 7 }, { keepLast: 10 }, or several rules",
  });
export type Retention = z.infer<typeof RetentionSchema>;

/** What retention needs to know of a backup. */
export interface Retainable {
  /** Milliseconds since the Unix epoch. */
  readonly slot: number;
  readonly pinned: boolean;
  /** A restore reads it at this moment; false by default. */
  readonly held?: boolean;
  /** Absent: nobody has looked, which is no reproach. */
  readonly verification?: VerificationOutcome | undefined;
}

/** When and for whom backups are judged. Instants are milliseconds since the Unix epoch. */
export interface Judging {
  readonly now: number;
  /**
   * When the add-on was created; absent: no backup is of an earlier one. One after `now` comes from a clock that was
   * ahead, and is ignored.
   */
  readonly createdAt?: number;
  /** Absent: nothing tells what a gap is, and days are those of UTC. */
  readonly schedule?: Schedule | undefined;
}

export interface Verdict<Backup> {
  readonly backup: Backup;
  readonly keep: boolean;
  /** Every rule that wants it kept, or every rule that no longer does; never empty. */
  readonly reasons: readonly string[];
}

/** The calendar's rules, each with what it counts. */
export const CALENDAR_RULES = [
  ["daily", "day"],
  ["weekly", "week"],
  ["monthly", "month"],
  ["yearly", "year"],
] as const;

/**
 * Decides for each backup, in the given order, whether it stays. Whatever the rules say, nothing goes that is pinned,
 * being restored, or dated in the future (its clock or ours is wrong), and never the newest that was verified.
 *
 * One from the future counts as none of the newest, nor does one that was found damaged: they would cost the real ones.
 * So a damaged one stays while the days or the place that it would have among the last want it, at no other's expense.
 *
 * For a day after a gap between two backups, or while one lasts, nothing from before it goes because of its age
 * (`gapEnding`): a clock that jumps ahead, or a machine that slept, makes every backup look old at once.
 *
 * Backups of an earlier add-on of this name are judged like the others; but its final one, the newest of them that was
 * verified, or else the newest that is not known to be damaged, may be the last copy of its data and stays.
 */
export function retain<Backup extends Retainable>(
  backups: readonly Backup[],
  retention: Retention,
  { now, createdAt = -Infinity, schedule }: Judging,
): Verdict<Backup>[] {
  const past = backups.filter(({ slot }) => slot <= now).sort((a, b) => b.slot - a.slot);
  const good = past.filter(({ verification }) => verification !== "damaged");
  const earlier = createdAt <= now ? good.filter(({ slot }) => slot < createdAt) : [];
  const context: Context = {
    retention,
    now,
    gap: gapEnding(past, schedule, now),
    ranks: ranksOf(past),
    places: placesOf(good, retention, schedule),
    newestVerified: good.find(isVerified),
    final: earlier.find(isVerified) ?? earlier[0],
  };
  return backups.map((backup) => verdict(backup, context));
}

interface Context {
  readonly retention: Retention;
  readonly now: number;
  readonly gap: ReturnType<typeof gapEnding>;
  /** How many newer ones are not damaged. */
  readonly ranks: ReadonlyMap<Retainable, number>;
  /** Why the calendar's rules want those that they want. */
  readonly places: ReadonlyMap<Retainable, readonly string[]>;
  readonly newestVerified: Retainable | undefined;
  /** Of an earlier add-on. */
  readonly final: Retainable | undefined;
}

function verdict<Backup extends Retainable>(backup: Backup, context: Context): Verdict<Backup> {
  const { retention, now, gap, ranks, places, newestVerified, final } = context;
  const { days, keepLast, minimum = 1 } = retention;
  const keep: string[] = [];
  const remove: string[] = [];
  const rule = (wants: boolean, kept: string, removed: string) =>
    wants ? keep.push(kept) : remove.push(removed);
  if (backup.pinned) keep.push("pinned");
  if (backup.held === true) keep.push("being restored");
  const rank = ranks.get(backup);
  if (rank === undefined) return { backup, keep: true, reasons: [...keep, "dated in the future"] };
  if (days !== undefined)
    if (now - backup.slot > days * DAY_MS && gap !== undefined && backup.slot <= gap.from)
      keep.push(`older than ${counted(days, "day")}, but ${gap.words}`);
    else
      rule(
        now - backup.slot <= days * DAY_MS,
        `at most ${counted(days, "day")} old`,
        `older than ${counted(days, "day")}`,
      );
  if (keepLast !== undefined)
    rule(rank < keepLast, `among the last ${keepLast}`, `not among the last ${keepLast}`);
  keep.push(...(places.get(backup) ?? []));
  for (const [name, span] of CALENDAR_RULES) {
    const count = retention[name];
    if (count !== undefined)
      remove.push(`not the newest of one of the last ${counted(count, span)} (${name})`);
  }
  if (backup.verification === "damaged") remove.push("damaged, so it is not among those that always stay");
  else if (rank === 0) keep.push("the newest");
  else if (rank < minimum) keep.push(`among the ${minimum} that always stay`);
  if (backup === newestVerified) keep.push("the newest verified");
  if (backup === final) keep.push("the final one of an earlier add-on of this name");
  return { backup, keep: keep.length > 0, reasons: keep.length > 0 ? keep : remove };
}

/** `newestFirst`: none from the future. */
export function ranksOf(newestFirst: readonly Retainable[]): Map<Retainable, number> {
  const ranks = new Map<Retainable, number>();
  let newerGood = 0;
  for (const backup of newestFirst) {
    ranks.set(backup, newerGood);
    if (backup.verification !== "damaged") newerGood++;
  }
  return ranks;
}

/** The newest of each span that a calendar's rule reaches back to. Spans without a good backup are not counted. */
function placesOf(
  newestFirst: readonly Retainable[],
  retention: Retention,
  schedule: Schedule | undefined,
): Map<Retainable, string[]> {
  const dateAt = datesIn(timezoneOf(schedule));
  const places = new Map<Retainable, string[]>();
  for (const [name, span] of CALENDAR_RULES) {
    const most = retention[name] ?? 0;
    let current: string | undefined;
    for (let found = 0, index = 0; found < most && index < newestFirst.length; index++) {
      const backup = newestFirst[index];
      if (backup === undefined) break;
      const spelt = spanOf(span, dateAt(backup.slot));
      if (spelt === current) continue;
      current = spelt;
      found++;
      places.set(backup, [...(places.get(backup) ?? []), `the newest of ${spelt} (${name})`]);
    }
  }
  return places;
}

/** The zone that days and weeks are counted in: IANA's name of one. */
export function timezoneOf(schedule: Schedule | undefined): string {
  return schedule === undefined || "every" in schedule ? "UTC" : (schedule.timezone ?? "UTC");
}

export function isVerified({ verification }: Retainable): boolean {
  return verification === "verified";
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}
