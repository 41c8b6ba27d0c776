import type { Frame, Point } from "./points";

/** So many moments can be told apart on a plot; of more, each so many is told. */
const MOST = 180;

interface Readable {
  readonly points: readonly Point[];
  readonly frame: Frame;
  /** The moment and the value in words. */
  readonly words: (at: number, value: number) => string;
}

/**
 * What the script of plots reads out where somebody points, or goes with keys: of each moment where it is drawn, across
 * and down from the top, and its words; `12.5 80.0 11:40:05: 12.0 MiB` in a line, oldest first. Without the script a plot
 * is the same without.
 */
export function readoutOf({ points, frame, words }: Readable): string {
  const known = points.flatMap(({ at, value }) => (value === undefined ? [] : [{ at, value }]));
  const every = Math.max(1, Math.ceil(known.length / MOST));
  return known
    .filter((_, i) => (known.length - 1 - i) % every === 0)
    .map(({ at, value }) => `${across(at, frame)} ${down(value, frame)} ${words(at, value)}`)
    .join("\n");
}

/** Where a moment is drawn, in the units of the frame. */
export function across(at: number, { from, to, width }: Frame): string {
  return (((at - from) / Math.max(1, to - from)) * width).toFixed(1);
}

/** Where a value is drawn, from the top. */
export function down(value: number, { most, height }: Frame): string {
  return (height - (value / most) * height).toFixed(1);
}
