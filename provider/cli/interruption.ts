import type { ChildProcess } from "node:child_process";
import { constants } from "node:os";
import { Failure } from "../core/errors";
import { clearDisplay } from "./terminal";

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
type EndingSignal = (typeof SIGNALS)[number];

const abort = new AbortController();
let exitCode: number | undefined;
let tidiesUp = true;
let hint = "";
/** What runs in this program's place. */
let inPlace: ChildProcess | undefined;

/** Aborted by the first Ctrl-C, or another signal that asks to end. */
export const interruption: AbortSignal = abort.signal;

/** The exit code that the signal asks for; absent: there was none. */
export function interruptedExitCode(): number | undefined {
  return exitCode;
}

interface HeedWish {
  readonly isWatching: boolean;
  /** A command that tells who interrupts it what became of it; absent: what was begun is undone, or never shows. */
  readonly afterwards: string | undefined;
}

/**
 * The first signal lets the command tidy up, the second one ends it at once. What only watches has nothing to tidy up,
 * and says nothing of it.
 */
export function heedSignals({ isWatching, afterwards }: HeedWish): void {
  tidiesUp = !isWatching;
  hint = afterwards === undefined ? "Run it again" : `See what became of it: ${afterwards}`;
  for (const signal of SIGNALS) process.on(signal, () => interrupt(signal));
}

/** Until it is disposed, signals are those of a program that runs in this one's place. */
export function leaveSignalsTo(child: ChildProcess): Disposable {
  inPlace = child;
  return { [Symbol.dispose]: () => (inPlace = undefined) };
}

/** What a signal does. */
function interrupt(signal: EndingSignal): void {
  if (inPlace !== undefined) {
    // A terminal has sent its Ctrl-C to both.
    if (signal !== "SIGINT") inPlace.kill(signal);
    return;
  }
  clearDisplay();
  const code = 128 + constants.signals[signal];
  if (exitCode !== undefined) process.exit(code);
  if (signal === "SIGINT" && tidiesUp)
    process.stderr.write("stopping and tidying up; Ctrl-C again ends it at once\n");
  end(code, hint);
}

/** What Ctrl-C does at a prompt, which takes it as a key: nothing goes on that would have to be tidied up. */
export function interruptPrompt(): void {
  end(128 + constants.signals.SIGINT, "");
}

function end(code: number, hint: string): void {
  exitCode = code;
  abort.abort(
    new Failure({
      code: "interrupted",
      operation: "go on with",
      subject: "the command",
      cause: "it was interrupted",
      hint,
    }),
  );
}
