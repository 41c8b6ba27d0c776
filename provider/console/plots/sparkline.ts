import { html, type Html } from "../html";
import { linePath, type Point } from "./points";

const WIDTH = 240;
const HEIGHT = 40;
/** So that a line at the top or the bottom is not cut in half. */
const MARGIN = 2;

interface Sparkline {
  /** What it shows, and for whom that can't see it what there is to see. */
  readonly label: string;
  /** Oldest first. */
  readonly points: readonly Point[];
}

/** A small plot beside words: where it goes, without figures. Absent values are gaps; without two there is none. */
export function sparkline({ label, points }: Sparkline): Html | "" {
  const known = points.filter(({ value }) => value !== undefined);
  const [from, to] = [known[0]?.at, known.at(-1)?.at];
  if (from === undefined || to === undefined || known.length < 2) return "";
  const most = Math.max(...known.map(({ value }) => value ?? 0));
  return html`<svg
    class="spark"
    viewBox="${-MARGIN} ${-MARGIN} ${WIDTH + 2 * MARGIN} ${HEIGHT + 2 * MARGIN}"
    role="img"
    aria-label="${label}"
  >
    <path class="values" d="${linePath(points, { from, to, most, width: WIDTH, height: HEIGHT })}" />
  </svg>`;
}
