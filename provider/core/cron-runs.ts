import { Cron } from "croner";

const DAY_MS = 86_400_000;
/** No zone changes its clocks about New Year. */
const SOME_MIDNIGHT = Date.UTC(2024, 0, 1);
/** Enough for two years of a daily pattern; the gaps of a rarer one are longer, and so are the jumps. */
const MOST_JUMPS = 1_000;
/** A Gregorian leap day falls on each day of the week once in 28 years. */
const YEARS_TO_LOOK = 40;

/** The newest run of a pattern that is not after an instant. */
export function newestRun(pattern: Cron, now: number): number | undefined {
  // croner looks strictly before its reference and runs lie on whole seconds, so this is "not after now".
  const reference = new Date((Math.floor(now / 1000) + 1) * 1000);
  return pattern.previousRuns(1, reference)[0]?.getTime();
}

/** How far apart two consecutive runs lie at most, in milliseconds, the days included on which a zone's clocks change. */
export function longestGapOf(pattern: Cron, timezone: string): number {
  const until = SOME_MIDNIGHT + YEARS_TO_LOOK * 366 * DAY_MS;
  const overDays = longestGapWithin(pattern, SOME_MIDNIGHT, until, DAY_MS);
  if (overDays > DAY_MS) return overDays;
  // Every day is like the others, but for those on which the clocks change.
  let longest = longestGapWithin(pattern, SOME_MIDNIGHT, SOME_MIDNIGHT + 2 * DAY_MS, 0);
  const midnights = new Cron("0 0 * * *", { timezone, paused: true, fixedTimeRule: "no-wildcard" });
  let midnight = SOME_MIDNIGHT;
  for (let day = 0; day < 400; day++) {
    const next = midnights.nextRun(new Date(midnight))?.getTime();
    if (next === undefined) break;
    if (day > 0 && next - midnight !== DAY_MS)
      longest = longestGapWithin(pattern, midnight - longest - 1_000, next, longest);
    midnight = next;
  }
  return longest;
}

/** The longest gap that begins between two instants, if any is longer than `atLeastMs`. */
function longestGapWithin(pattern: Cron, from: number, to: number, atLeastMs: number): number {
  let longest = atLeastMs;
  let slot = pattern.nextRun(new Date(from))?.getTime();
  for (let jump = 0; slot !== undefined && slot < to && (jump < MOST_JUMPS || longest < DAY_MS); jump++) {
    // All the gaps up to the newest slot within the longest known are no longer than that.
    const ahead = newestRun(pattern, slot + longest);
    const next = ahead !== undefined && ahead > slot ? ahead : pattern.nextRun(new Date(slot))?.getTime();
    if (next !== undefined) longest = Math.max(longest, next - slot);
    slot = next;
  }
  return longest;
}
