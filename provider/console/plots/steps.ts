/** How an axis is divided: by round numbers, as people count what is measured; `whole` where there are no halves. */
export type Counting = "decimal" | "whole" | "binary";

/** What is less counts as nothing: figures are whole numbers and ratios of such. */
const SMALLEST = 1e-9;

/** From zero to at least `most`, in at most `steps` equal steps of a round number: the lines of a plot. */
export function niceSteps(most: number, counting: Counting, steps = 4): readonly number[] {
  // Zeros alone are shown against one.
  const step = most > SMALLEST ? roundUp(most / steps, counting) : 1;
  const count = Math.max(1, Math.ceil(most / step));
  return Array.from({ length: count + 1 }, (_, i) => i * step);
}

/** The next number that is 1, 2 or 5 times a power of ten, or a power of two. */
function roundUp(value: number, counting: Counting): number {
  if (counting === "whole" && value < 1) return 1;
  if (counting === "binary") return 2 ** Math.ceil(Math.log2(Math.max(1, value)));
  const power = 10 ** Math.floor(Math.log10(value));
  const found = [1, 2, 5].map((factor) => factor * power).find((candidate) => candidate >= value);
  return found ?? 10 * power;
}

const MINUTE_MS = 60_000;
const TIME_STEPS_MS = [1, 5, 10, 15, 30, 60, 180, 360, 720, 1_440, 7 * 1_440, 28 * 1_440].map(
  (minutes) => minutes * MINUTE_MS,
);

/** Round moments of UTC between two, at most `most` of them; all in milliseconds since the Unix epoch. */
export function timeSteps(from: number, to: number, most = 6): readonly number[] {
  const fits = (step: number) => (to - from) / step <= most;
  const step = TIME_STEPS_MS.find(fits) ?? TIME_STEPS_MS.at(-1) ?? MINUTE_MS;
  const first = Math.ceil(from / step) * step;
  const count = Math.max(0, Math.floor((to - first) / step) + 1);
  return Array.from({ length: Math.min(count, 2 * most) }, (_, i) => first + i * step);
}
