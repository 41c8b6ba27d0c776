import { datesIn, spanOf } from "./calendar";
import { gapEnding } from "./retention-gap";
import {
  CALENDAR_RULES,
  DAY_MS,
  isVerified,
  type Judging,
  type Retainable,
  type Retention,
  timezoneOf,
} from "./retention";
import { futureSlots, type FutureSlots } from "./future-slots";
import type { Schedule } from "./schedule";

type Rule = (typeof CALENDAR_RULES)[number];

/**
 * Tells when the rules let go of one of these backups, in milliseconds since the Unix epoch: the slot of the first backup after which
 * `retain` no longer wants it, if all of them come on time from now on and are verified. Undefined: nothing tells an end,
 * because it is pinned, dated in the future or the final one of an earlier add-on, or because no further backup comes.
 *
 * Of many thousands each that is asked for takes a moment. A restore that reads it is over before that. A backup on demand counts as the newest too, so that what stays as one of
 * so many goes earlier with each.
 */
export function keptUntil(
  backups: readonly Retainable[],
  retention: Retention,
  { now, createdAt = -Infinity, schedule }: Judging & { readonly schedule: Schedule },
): (backup: Retainable) => number | undefined {
  const past = backups.filter(({ slot }) => slot <= now).sort((a, b) => b.slot - a.slot);
  const good = past.filter(({ verification }) => verification !== "damaged");
  const earlier = createdAt <= now ? good.filter(({ slot }) => slot < createdAt) : [];
  const final = earlier.find(isVerified) ?? earlier[0];
  const slots = futureSlots(schedule, now);
  const ranks = ranksOf(past);
  const dateAt = datesIn(timezoneOf(schedule));
  const ofSpans = CALENDAR_RULES.map((rule) => spanEnds(rule, good, retention, slots, dateAt));
  const gap = newestGap(past, schedule, slots);

  return (backup) => {
    const rank = ranks.get(backup);
    if (backup.pinned || backup === final || rank === undefined) return undefined;
    const isGood = backup.verification !== "damaged";
    const ends = [
      slots.nth(1),
      daysEnd(backup, retention, gap, slots),
      ...(retention.keepLast === undefined ? [] : [slots.nth(retention.keepLast - rank)]),
      ...(isGood ? [slots.nth((retention.minimum ?? 1) - rank)] : []),
      ...ofSpans.map((endOf) => endOf(backup)),
    ];
    return ends.every((end) => end !== undefined) ? Math.max(...ends) : undefined;
  };
}

function daysEnd(
  { slot }: Retainable,
  { days }: Retention,
  gap: { readonly from: number; readonly until: number } | undefined,
  slots: FutureSlots,
): number | undefined {
  if (days === undefined) return -Infinity;
  const isBehind = gap !== undefined && slot <= gap.from;
  return slots.after(Math.max(slot + days * DAY_MS, isBehind ? gap.until + DAY_MS : -Infinity));
}

/** The newest gap that will have protected what is from before it once the next backup is there. */
function newestGap(
  past: readonly Retainable[],
  schedule: Schedule,
  slots: FutureSlots,
): { readonly from: number; readonly until: number } | undefined {
  const next = slots.nth(1);
  if (next === undefined) return undefined;
  const newestFirst = [{ slot: next }, ...past];
  const gap = gapEnding(newestFirst, schedule, next);
  if (gap === undefined) return undefined;
  const until = newestFirst.findLast(({ slot }) => slot > gap.from)?.slot ?? next;
  return { from: gap.from, until };
}

/** Of one of the calendar's rules: until when it wants each backup; -Infinity where it doesn't. */
function spanEnds(
  [name, span]: Rule,
  newestFirst: readonly Retainable[],
  retention: Retention,
  slots: FutureSlots,
  dateAt: ReturnType<typeof datesIn>,
): (backup: Retainable) => number | undefined {
  const most = retention[name] ?? 0;
  const spell = (instant: number): string => spanOf(span, dateAt(instant));
  const wanted = new Map<Retainable, number>();
  let current: string | undefined;
  for (let index = 0; wanted.size < most && index < newestFirst.length; index++) {
    const backup = newestFirst[index];
    if (backup === undefined) break;
    const spelt = spell(backup.slot);
    if (spelt === current) continue;
    current = spelt;
    wanted.set(backup, wanted.size);
  }
  const [newest] = wanted.keys();
  if (newest === undefined) return () => -Infinity;
  const newSpan = slots.newSpans(spell, spell(newest.slot));
  const first = slots.nth(1);
  return (backup) => {
    const newer = wanted.get(backup);
    if (newer === undefined) return -Infinity;
    // The next one may be the newest of its span instead.
    if (newer === 0 && first !== undefined && spell(first) === spell(backup.slot)) return first;
    return newSpan(most - newer);
  };
}

/** How many newer ones are not damaged. `newestFirst`: none from the future. */
function ranksOf(newestFirst: readonly Retainable[]): Map<Retainable, number> {
  const ranks = new Map<Retainable, number>();
  let newerGood = 0;
  for (const backup of newestFirst) {
    ranks.set(backup, newerGood);
    if (backup.verification !== "damaged") newerGood++;
  }
  return ranks;
}
