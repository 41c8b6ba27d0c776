/** One measurement; without a value nobody knew it at that moment. */
export interface Point {
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly value: number | undefined;
}

/** Where plots draw, in the units of their own view. */
export interface Frame {
  readonly from: number;
  readonly to: number;
  readonly most: number;
  readonly width: number;
  readonly height: number;
}

/**
 * The line through the points as an SVG path. It ends where a value is missing and begins again after it: what nobody
 * saw isn't drawn. A value alone between two gaps is a short dash.
 */
export function linePath(points: readonly Point[], frame: Frame): string {
  const parts: string[] = [];
  for (const run of runsOf(points)) {
    const [first, ...rest] = run.map((point) => position(point, frame));
    if (first === undefined) continue;
    parts.push(`M${first}`, ...(rest.length === 0 ? ["h2"] : rest.map((each) => `L${each}`)));
  }
  return parts.join("");
}

/** Across, and down from the top. */
function position({ at, value }: Known, { from, to, most, width, height }: Frame): string {
  const x = to === from ? 0 : ((at - from) / (to - from)) * width;
  const y = height - (most === 0 ? 0 : value / most) * height;
  return `${x.toFixed(1)} ${y.toFixed(1)}`;
}

interface Known {
  readonly at: number;
  readonly value: number;
}

function runsOf(points: readonly Point[]): Known[][] {
  const runs: Known[][] = [[]];
  for (const { at, value } of points)
    if (value === undefined) runs.push([]);
    else runs.at(-1)?.push({ at, value });
  return runs.filter((run) => run.length > 0);
}
