import { z } from "zod";
import type { VerificationOutcome } from "./verification";

const DAY_MS = 24 * 60 * 60_000;

function positive(what: string) {
  const message = `write a whole number of ${what}, at least 1`;
  return z.number({ error: message }).int({ error: message }).min(1, { error: message });
}

/** A clock that jumps ahead makes every backup look old at once: so many outlive that, and downtime as well. */
const NEWEST_OF_DAYS = 3;

/**
 * How long backups are kept. The rules are a union: a backup goes only when none of them wants it. However old they
 * are, the newest `minimum` backups stay: if absent 3 where `days` is given, otherwise 1.
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
  /** Absent: nobody has looked, which is no reproach. */
  readonly verification?: VerificationOutcome | undefined;
}

export interface Verdict<Backup> {
  readonly backup: Backup;
  readonly keep: boolean;
  /** Every rule that wants it kept, or every rule that no longer does; never empty. */
  readonly reasons: readonly string[];
}

/**
 * Decides for each backup, in the given order, whether it stays. Nothing that is pinned goes, nothing dated after
 * `now` (its clock or ours is wrong), nothing from before `createdAt` (it belongs to an earlier add-on of this name,
 * whose final backup may be the last copy of its data), and of the others never the newest and never the newest that
 * was verified. Neither one from the future nor one from before counts as one of the newest, nor does one that was
 * found damaged: they would cost the real ones. So a damaged one stays while the days or the place that it would have
 * among the last want it, at no other's expense, and goes with the next that is too old.
 *
 * Instants are milliseconds since the Unix epoch. A `createdAt` after `now` comes from a clock that was ahead, and is
 * ignored: nothing would ever go until then.
 */
export function retain<Backup extends Retainable>(
  backups: readonly Backup[],
  retention: Retention,
  now: number,
  createdAt = -Infinity,
): Verdict<Backup>[] {
  const isEarlier = ({ slot }: Backup): boolean => createdAt <= now && slot < createdAt;
  const standings = new Map<Backup, Standing>();
  let newerGood = 0;
  let newestVerified: Backup | undefined;
  for (const backup of [...backups].sort((a, b) => b.slot - a.slot)) {
    if (backup.slot > now || isEarlier(backup)) continue;
    standings.set(backup, { rank: newerGood });
    if (backup.verification !== "damaged") newerGood++;
    if (backup.verification === "verified") newestVerified ??= backup;
  }
  return backups.map((backup) => {
    const standing = standings.get(backup) ?? (isEarlier(backup) ? "earlier" : "future");
    return verdict(backup, standing, backup === newestVerified, retention, now);
  });
}

/** How many newer ones of this add-on are not damaged; or why it has no place among them. */
type Standing = { readonly rank: number } | "earlier" | "future";

function verdict<Backup extends Retainable>(
  backup: Backup,
  standing: Standing,
  isNewestVerified: boolean,
  { days, keepLast, minimum = days === undefined ? 1 : NEWEST_OF_DAYS }: Retention,
  now: number,
): Verdict<Backup> {
  const keep: string[] = [];
  const remove: string[] = [];
  const rule = (wants: boolean, kept: string, removed: string) =>
    wants ? keep.push(kept) : remove.push(removed);
  if (backup.pinned) keep.push("pinned");
  if (typeof standing === "string") {
    keep.push(standing === "future" ? "dated in the future" : "of an earlier add-on of this name");
    return { backup, keep: true, reasons: keep };
  }
  const { rank } = standing;
  if (days !== undefined)
    rule(now - backup.slot <= days * DAY_MS, `at most ${days} days old`, `older than ${days} days`);
  if (keepLast !== undefined)
    rule(rank < keepLast, `among the last ${keepLast}`, `not among the last ${keepLast}`);
  if (backup.verification === "damaged") remove.push("damaged, so it is not among those that always stay");
  else if (rank === 0) keep.push("the newest");
  else if (rank < minimum) keep.push(`among the ${minimum} that always stay`);
  if (isNewestVerified) keep.push("the newest verified");
  return { backup, keep: keep.length > 0, reasons: keep.length > 0 ? keep : remove };
}
