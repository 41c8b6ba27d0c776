import type { Retainable, Retention } from "../../provider/core/retention";
import type { Schedule } from "../../provider/core/schedule";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

interface Given {
  readonly now: number;
  readonly createdAt: number | undefined;
  readonly schedule?: Schedule;
  readonly longestGapHours?: number;
}

/** What stays by the rules' words: each backup is asked for by itself, and everything is counted anew for it. */
export function keptByModel(all: readonly Retainable[], retention: Retention, given: Given): boolean[] {
  const { now, createdAt, schedule } = given;
  const timeZone = schedule !== undefined && "timezone" in schedule ? schedule.timezone : undefined;
  const past = all.filter(({ slot }) => slot <= now);
  const isGood = ({ verification }: Retainable) => verification !== "damaged";
  const isEarlier = ({ slot }: Retainable) => createdAt !== undefined && createdAt <= now && slot < createdAt;
  const labels = new Map(all.map((backup) => [backup, labelsOf(backup.slot, timeZone ?? "UTC")] as const));

  const wanted = (backup: Retainable): boolean => {
    if (backup.pinned || backup.held === true || backup.slot > now) return true;
    const newer = past.filter(({ slot }) => slot > backup.slot);
    const newerGood = newer.filter(isGood);
    const isNewestOf = (some: readonly Retainable[]) =>
      some.includes(backup) && some.every(({ slot }) => slot <= backup.slot);
    const standsFor = (most: number | undefined, span: keyof Labels): boolean => {
      if (most === undefined || !isGood(backup)) return false;
      const label = labels.get(backup)?.[span];
      const others = newerGood.map((other) => labels.get(other)?.[span]);
      return !others.includes(label) && new Set(others).size < most;
    };
    const earlier = past.filter(isEarlier);
    const earlierVerified = earlier.filter(({ verification }) => verification === "verified");
    return (
      (retention.days !== undefined &&
        (backup.slot >= now - retention.days * DAY || isBehindGap(backup, past, given))) ||
      (retention.keepLast !== undefined && newerGood.length < retention.keepLast) ||
      standsFor(retention.daily, "day") ||
      standsFor(retention.weekly, "week") ||
      standsFor(retention.monthly, "month") ||
      standsFor(retention.yearly, "year") ||
      (isGood(backup) && newerGood.length < (retention.minimum ?? 1)) ||
      isNewestOf(past.filter(({ verification }) => verification === "verified")) ||
      isNewestOf(earlierVerified.length > 0 ? earlierVerified : earlier.filter(isGood))
    );
  };
  return all.map(wanted);
}

/** Whether there is a gap after it that is not over, or for less than a day. */
function isBehindGap(
  backup: Retainable,
  past: readonly Retainable[],
  { longestGapHours, now }: Given,
): boolean {
  if (longestGapHours === undefined) return false;
  const instants = [...past.map(({ slot }) => slot), now].sort((a, b) => a - b);
  return instants.some((until, index) => {
    const from = instants[index - 1];
    if (from === undefined || from < backup.slot) return false;
    return until - from > (longestGapHours + 2) * HOUR && now - until <= DAY;
  });
}

interface Labels {
  readonly day: string;
  readonly week: string;
  readonly month: string;
  readonly year: string;
}

function labelsOf(slot: number, timeZone: string): Labels {
  // Sweden writes dates as ISO 8601 does.
  const day = new Date(slot).toLocaleDateString("sv-SE", { timeZone });
  const monday = new Date(`${day}T00:00:00Z`);
  while (monday.getUTCDay() !== 1) monday.setUTCDate(monday.getUTCDate() - 1);
  return { day, week: monday.toISOString(), month: day.slice(0, 7), year: day.slice(0, 4) };
}
