import { longestGapMs, type Schedule } from "./schedule";
import { formatSlot } from "./slot";

const HOUR_MS = 60 * 60_000;
/** A backup may come so much later than its slot. */
const LATE_MS = 2 * HOUR_MS;
/** How long a gap that is over goes on protecting what is from before it. */
const PROTECTS_MS = 24 * HOUR_MS;

/** A time without a backup that was longer than the schedule has any, and is not over, or not long ago. */
interface Gap {
  /** The slot of the last backup before it, in milliseconds since the Unix epoch. */
  readonly from: number;
  /** For reasons: `there was none from 20261101T030000000Z until 20261120T030000000Z`. */
  readonly words: string;
}

/**
 * The newest such gap that protects what is from before it at `now`; `newestFirst` holds no backup from the future. A
 * backup is removed because of its age only by a clock that is believed, and behind such a gap it isn't yet: the clock
 * may have jumped ahead, and a machine that slept or failed for long has more use for its old backups than before.
 */
export function gapEnding(
  newestFirst: readonly { readonly slot: number }[],
  schedule: Schedule | undefined,
  now: number,
): Gap | undefined {
  if (schedule === undefined) return undefined;
  const longestMs = longestGapMs(schedule) + LATE_MS;
  let next: number | undefined;
  for (const { slot } of newestFirst) {
    const until = next ?? now;
    if (now - until > PROTECTS_MS) return undefined;
    if (until - slot > longestMs) {
      const end = next === undefined ? "now" : formatSlot(next);
      return { from: slot, words: `there was none from ${formatSlot(slot)} until ${end}` };
    }
    next = slot;
  }
  return undefined;
}
