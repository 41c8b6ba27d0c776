import type { Clock, Progress } from "../core/task";
import { progressLine } from "./progress-line";

/** Where progress is shown; `process.stderr` is one. */
export interface Screen {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

export interface ProgressDisplay {
  show(progress: Progress): void;
  /** Takes the line away, so that something else can be written; the next `show` draws it again. */
  clear(): void;
}

/** More often than a person sees a difference would only cost a slow terminal. */
const REDRAW_MS = 100;
/** A wait without news shall be seen to go on. */
const HEARTBEAT_MS = 1000;
/** The speed is that of the last seconds: a stall shows. */
const SPEED_WINDOW_MS = 5000;
/** Of a terminal that has no width to tell. */
export const USUAL_COLUMNS = 80;
const ERASE_LINE = "\r\u001B[2K";

/** One line that is redrawn on a terminal; elsewhere (a log, a mail of cron) a line for each step. */
export function progressDisplay(
  screen: Screen,
  clock: Pick<Clock, "now">,
  isQuiet: boolean,
): ProgressDisplay {
  if (isQuiet) return { show: () => undefined, clear: () => undefined };
  return screen.isTTY === true ? redrawnLine(screen, clock) : stepLines(screen);
}

function stepLines(screen: Screen): ProgressDisplay {
  let last = "";
  return {
    show: ({ message }) => {
      if (message !== last) screen.write(`${message} …\n`);
      last = message;
    },
    clear: () => undefined,
  };
}

interface Step {
  readonly since: number;
  progress: Progress;
  /** Oldest first, none older than the window but the first. */
  samples: { readonly at: number; readonly doneBytes: number }[];
}

function redrawnLine(screen: Screen, clock: Pick<Clock, "now">): ProgressDisplay {
  let step: Step | undefined;
  let drawnAt = -Infinity;
  let heartbeat: NodeJS.Timeout | undefined;
  const draw = () => {
    if (step === undefined) return;
    drawnAt = clock.now();
    const view = {
      progress: step.progress,
      elapsedMs: drawnAt - step.since,
      bytesPerSecond: speedOf(step, drawnAt),
    };
    // Some terminals go to the next line once the last column is written.
    screen.write(ERASE_LINE + progressLine(view, (screen.columns || USUAL_COLUMNS) - 1));
  };
  return {
    show: (progress) => {
      const now = clock.now();
      const isNew = step === undefined || step.progress.message !== progress.message;
      if (step === undefined || isNew) step = { since: now, progress, samples: [] };
      step.progress = progress;
      note(step, now);
      if (isNew || now - drawnAt >= REDRAW_MS) draw();
      heartbeat ??= setInterval(draw, HEARTBEAT_MS).unref();
    },
    clear: () => {
      clearInterval(heartbeat);
      heartbeat = undefined;
      if (step !== undefined) screen.write(ERASE_LINE);
      step = undefined;
      drawnAt = -Infinity;
    },
  };
}

function note(step: Step, at: number): void {
  const { doneBytes } = step.progress;
  if (doneBytes === undefined) return;
  step.samples.push({ at, doneBytes });
  const firstInside = step.samples.findIndex((sample) => at - sample.at <= SPEED_WINDOW_MS);
  if (firstInside > 1) step.samples.splice(0, firstInside - 1);
}

function speedOf({ samples }: Step, now: number): number | undefined {
  const [first, last] = [samples[0], samples.at(-1)];
  if (first === undefined || last === undefined || now - first.at < HEARTBEAT_MS / 2) return undefined;
  return Math.max(0, (last.doneBytes - first.doneBytes) / ((now - first.at) / 1000));
}
