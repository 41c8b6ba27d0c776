import { z } from "zod";

const DAY_MS = 24 * 60 * 60_000;

function positive(what: string) {
  const message = `write a whole number of ${what}, at least 1`;
  return z.number({ error: message }).int({ error: message }).min(1, { error: message });
}

/**
 * How long backups are kept. The rules are a union: a backup goes only when none of them wants it. However old they
 * are, the newest `minimum` backups (1 if absent) stay.
 */
export const RetentionSchema = z
  .strictObject({
    days: positive("days").optional(),
    keepLast: positive("backups").optional(),
    minimum: positive("backups").optional(),
  })
  .refine((retention) => retention.days !== undefined || retention.keepLast !== undefined, {
    error: "say how long backups are kept: { days: 7 }, { keepLast: 10 } or both",
  });
export type Retention = z.infer<typeof RetentionSchema>;

/** What retention needs to know of a backup. */
export interface Retainable {
  /** Milliseconds since the Unix epoch. */
  readonly slot: number;
  readonly pinned: boolean;
}

export interface Verdict<Backup> {
  readonly backup: Backup;
  readonly keep: boolean;
  /** Every rule that wants it kept, or every rule that no longer does; never empty. */
  readonly reasons: readonly string[];
}

/**
 * Decides for each backup, in the given order, whether it stays. Nothing that is pinned goes, nothing dated after
 * `now` (its clock or ours is wrong), and never the newest of the others; nor does one from the future count as one
 * of the newest, or a clock that once was wrong would cost the real ones.
 */
export function retain<Backup extends Retainable>(
  backups: readonly Backup[],
  retention: Retention,
  now: number,
): Verdict<Backup>[] {
  const rank = new Map<Backup, number>();
  [...backups]
    .filter((backup) => backup.slot <= now)
    .sort((a, b) => b.slot - a.slot)
    .forEach((backup, index) => rank.set(backup, index));
  return backups.map((backup) => verdict(backup, rank.get(backup), retention, now));
}

function verdict<Backup extends Retainable>(
  backup: Backup,
  rank: number | undefined,
  { days, keepLast, minimum = 1 }: Retention,
  now: number,
): Verdict<Backup> {
  const keep: string[] = [];
  const remove: string[] = [];
  const rule = (wants: boolean, kept: string, removed: string) =>
    wants ? keep.push(kept) : remove.push(removed);
  if (backup.pinned) keep.push("pinned");
  if (rank === undefined) {
    keep.push("dated in the future");
    return { backup, keep: true, reasons: keep };
  }
  if (days !== undefined)
    rule(now - backup.slot <= days * DAY_MS, `at most ${days} days old`, `older than ${days} days`);
  if (keepLast !== undefined)
    rule(rank < keepLast, `among the last ${keepLast}`, `not among the last ${keepLast}`);
  if (rank === 0) keep.push("the newest");
  else if (rank < minimum) keep.push(`among the ${minimum} that always stay`);
  return { backup, keep: keep.length > 0, reasons: keep.length > 0 ? keep : remove };
}
