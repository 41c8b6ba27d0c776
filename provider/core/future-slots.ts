import { nextSlot, type Schedule } from "./schedule";

/** More than any retention that somebody reads: beyond, nothing is told. */
const MOST_SLOTS = 20_000;
const MOST_SPANS = 4_000;
const HOUR_MS = 3_600_000;
/** A year, as long as it gets. */
const LONGEST_SPAN_MS = 367 * 24 * HOUR_MS;

/** The slots of a schedule after an instant. Instants are milliseconds since the Unix epoch; undefined: there is none. */
export interface FutureSlots {
  /** The first for 1; -Infinity for 0 and less: that is over. */
  nth(count: number): number | undefined;
  /** The first that is after `instant` and in the future. */
  after(instant: number): number | undefined;
  /**
   * Of the spans that slots lie in after the span `from`, which the first slot may lie in as well: tells the first slot
   * in the nth of them.
   */
  newSpans(spell: (instant: number) => string, from: string): (count: number) => number | undefined;
}

export function futureSlots(schedule: Schedule, now: number): FutureSlots {
  const after = (instant: number): number | undefined => nextSlot(schedule, Math.max(now, instant));
  const slots: number[] = [];
  return {
    after,
    nth(count) {
      if (count <= 0) return -Infinity;
      if (count > MOST_SLOTS) return undefined;
      while (slots.length < count) {
        const next = after(slots.at(-1) ?? now);
        if (next === undefined) return undefined;
        slots.push(next);
      }
      return slots[count - 1];
    },
    newSpans(spell, from) {
      const firsts: number[] = [];
      let current = from;
      let reached = now;
      return (count) => {
        if (count > MOST_SPANS) return undefined;
        while (firsts.length < count) {
          const next = firstElsewhere(after, spell, current, reached);
          if (next === undefined) return undefined;
          firsts.push(next);
          current = spell(next);
          reached = next;
        }
        return firsts[count - 1];
      };
    },
  };
}

/** The first slot after an instant that lies in another span than this: found without a look at each slot between. */
function firstElsewhere(
  after: FutureSlots["after"],
  spell: (instant: number) => string,
  span: string,
  instant: number,
): number | undefined {
  const next = after(instant);
  if (next === undefined || spell(next) !== span) return next;
  let [inside, outside] = [next, next + HOUR_MS];
  while (spell(outside) === span && outside - next < LONGEST_SPAN_MS) outside += outside - next;
  while (outside - inside > 1) {
    const middle = Math.floor((inside + outside) / 2);
    if (spell(middle) === span) inside = middle;
    else outside = middle;
  }
  // A slot may lie on the very begin of the next span.
  return after(outside - 1);
}
