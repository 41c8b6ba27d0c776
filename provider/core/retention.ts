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

/** Without the backup that it is on. */
type Judgement = Omit<Verdict<never>, "backup">;

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
  judging: Judging,
): Verdict<Backup>[] {
  const judge = judgeAmong(backups, retention, judging);
  return backups.map((backup) => ({ backup, ...judge(backup) }));
}

/** The same for one of them after the other, each known by its slot: hundreds of thousands need not be held for it. */
export function judgeAmong(
  backups: readonly Retainable[],
  retention: Retention,
  { now, createdAt = -Infinity, schedule }: Judging,
): (backup: Retainable) => Judgement {
  const { days, keepLast, minimum = 1 } = retention;
  const past = backups.filter(({ slot }) => slot <= now).sort((a, b) => b.slot - a.slot);
  const good = past.filter(({ verification }) => verification !== "damaged");
  const earlier = createdAt <= now ? good.filter(({ slot }) => slot < createdAt) : [];
  const gap = gapEnding(past, schedule, now);
  const places = placesOf(good, retention, schedule);
  const newestVerified = good.find(isVerified)?.slot;
  const final = (earlier.find(isVerified) ?? earlier[0])?.slot;
  // Fewer than so many good ones are newer than whatever is not older than this.
  const oldestOfLast = (count: number) => good[count - 1]?.slot ?? -Infinity;
  const newest = oldestOfLast(1);
  const oldestKept = oldestOfLast(keepLast ?? 0);
  const oldestOfMinimum = oldestOfLast(minimum);
  const words = wordsOf(retention);

  return ({ slot, pinned, held, verification }) => {
    const keep: string[] = [];
    if (pinned) keep.push("pinned");
    if (held === true) keep.push("being restored");
    if (slot > now) return { keep: true, reasons: [...keep, "dated in the future"] };
    if (days !== undefined)
      if (now - slot <= days * DAY_MS) keep.push(words.young);
      else if (gap !== undefined && slot <= gap.from) keep.push(`${words.old}, but ${gap.words}`);
    if (keepLast !== undefined && slot >= oldestKept) keep.push(words.last);
    keep.push(...(places.get(slot) ?? []));
    const isDamaged = verification === "damaged";
    if (!isDamaged && slot >= newest) keep.push("the newest");
    else if (!isDamaged && slot >= oldestOfMinimum) keep.push(words.minimum);
    if (slot === newestVerified) keep.push("the newest verified");
    if (slot === final) keep.push("the final one of an earlier add-on of this name");
    if (keep.length > 0) return { keep: true, reasons: keep };
    return { keep: false, reasons: isDamaged ? words.damagedGoes : words.goes };
  };
}

/** The reasons of some rules, spelt once for all backups. */
interface Words {
  readonly young: string;
  readonly old: string;
  readonly last: string;
  readonly minimum: string;
  /** Every rule that no longer wants one that goes: none of them wants it. */
  readonly goes: readonly string[];
  readonly damagedGoes: readonly string[];
}

function wordsOf(retention: Retention): Words {
  const { days = 0, keepLast = 0, minimum = 1 } = retention;
  const old = `older than ${counted(days, "day")}`;
  const spans = CALENDAR_RULES.flatMap(([name, span]) => {
    const count = retention[name];
    return count === undefined ? [] : [`not the newest of one of the last ${counted(count, span)} (${name})`];
  });
  const goes = [
    ...(retention.days === undefined ? [] : [old]),
    ...(retention.keepLast === undefined ? [] : [`not among the last ${keepLast}`]),
    ...spans,
  ];
  return {
    young: `at most ${counted(days, "day")} old`,
    old,
    last: `among the last ${keepLast}`,
    minimum: `among the ${minimum} that always stay`,
    goes,
    damagedGoes: [...goes, "damaged, so it is not among those that always stay"],
  };
}

/** By slot, the newest of each span that a calendar's rule reaches back to. Spans without a good backup are not counted. */
function placesOf(
  newestFirst: readonly Retainable[],
  retention: Retention,
  schedule: Schedule | undefined,
): Map<number, string[]> {
  const dateAt = datesIn(timezoneOf(schedule));
  const places = new Map<number, string[]>();
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
      places.set(backup.slot, [...(places.get(backup.slot) ?? []), `the newest of ${spelt} (${name})`]);
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
