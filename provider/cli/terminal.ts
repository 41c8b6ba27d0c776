import { systemClock } from "../system/clock";
import { printable } from "./printable";
import { progressDisplay, type ProgressDisplay } from "./progress-display";

/** Standard error is one for the whole process, and so is the line of progress on it. */
let display: ProgressDisplay | undefined;

export function openDisplay(isQuiet: boolean): ProgressDisplay {
  const { stderr } = process;
  // What can't move its cursor back is no terminal to us.
  const screen = {
    get columns() {
      return stderr.columns;
    },
    isTTY: stderr.isTTY && process.env["TERM"] !== "dumb",
    write: (text: string) => stderr.write(text),
  };
  display ??= progressDisplay(screen, systemClock, isQuiet);
  return display;
}

/** Takes the line of progress away before anything else is written to the terminal. */
export function clearDisplay(): void {
  display?.clear();
}

/** Something that a person should know, on standard error: standard output is the result alone. */
export function warn(text: string): void {
  clearDisplay();
  process.stderr.write(`! ${printable(text)}\n`);
}

/** Why the command failed. */
export function complain(text: string): void {
  clearDisplay();
  process.stderr.write(`redis-addon: ${printable(text)}\n`);
}
