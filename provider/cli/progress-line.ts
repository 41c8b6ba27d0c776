import type { Progress } from "../core/task";
import { memoryText } from "../core/memory-size";
import { percentText, progressShare } from "../core/progress-share";

/** What one line of progress tells. */
export interface ProgressView {
  readonly progress: Progress;
  /** Since what is going on began. */
  readonly elapsedMs: number;
  /** Absent: not known yet. */
  readonly bytesPerSecond?: number | undefined;
}

const WIDEST_BAR = 30;
const NARROWEST_BAR = 8;
const GAP = "  ";
/** One line, at most `columns` wide: figures go from the last one on where it is too narrow; the bar takes what is left. */
export function progressLine({ progress, elapsedMs, bytesPerSecond }: ProgressView, columns: number): string {
  const { message, doneBytes } = progress;
  const share = progressShare(progress);
  const fraction = share?.fraction;
  // Each as wide as it gets, so that nothing dances from one drawing to the next.
  const figures = [
    ...(share === undefined ? [] : [percentText(share).padStart("~99 %".length)]),
    ...(doneBytes === undefined ? [] : [amount(doneBytes, progress.totalBytes)]),
    ...(doneBytes === undefined ? [] : [speed(bytesPerSecond).padStart("1023 MiB/s".length)]),
    doneBytes === undefined ? secondsOf(elapsedMs) : secondsOf(elapsedMs).padStart("59 s".length),
  ];
  for (let shown = figures.length; shown > 0; shown--) {
    const said = [message, ...figures.slice(0, shown)].join(GAP);
    if (said.length > columns) continue;
    const barWidth = Math.min(WIDEST_BAR, columns - said.length - GAP.length - "[]".length);
    if (fraction === undefined || barWidth < NARROWEST_BAR) return said;
    return [message, barOf(fraction, barWidth), ...figures.slice(0, shown)].join(GAP);
  }
  return message.length <= columns ? message : `${message.slice(0, Math.max(0, columns - 1))}…`;
}

function amount(doneBytes: number, totalBytes: number | undefined): string {
  const done = memoryText(doneBytes).padStart("1023 MiB".length);
  return totalBytes === undefined ? done : `${done} of ${memoryText(totalBytes)}`;
}

function speed(bytesPerSecond: number | undefined): string {
  return bytesPerSecond === undefined ? "" : `${memoryText(bytesPerSecond)}/s`;
}

/** Plain characters: a terminal of any language and font shows them. */
function barOf(fraction: number, width: number): string {
  const filled = Math.floor(fraction * width);
  return `[${"#".repeat(filled)}${"-".repeat(width - filled)}]`;
}

function secondsOf(ms: number): string {
  const seconds = Math.floor(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
}
