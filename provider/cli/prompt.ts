import { createInterface } from "node:readline/promises";
import { interruptPrompt, interruption } from "./interruption";
import { clearDisplay } from "./terminal";

const [CTRL_C, CTRL_D, BACKSPACE, CTRL_U, DELETE] = ["\u0003", "\u0004", "\b", "\u0015", "\u007F"];

/** Whether a person can be asked. */
export function canAsk(): boolean {
  return process.stdin.isTTY;
}

/** Asks on the terminal; empty where the answer is the end of the input, or Ctrl-C. */
export async function askLine(question: string): Promise<string> {
  clearDisplay();
  const terminal = createInterface({ input: process.stdin, output: process.stderr });
  const ended = Promise.withResolvers<string>();
  terminal.on("SIGINT", () => interruptPrompt());
  terminal.once("close", () => ended.resolve(""));
  try {
    return await Promise.race([terminal.question(question, { signal: interruption }), ended.promise]);
  } catch (error) {
    if (!interruption.aborted) throw error;
    return "";
  } finally {
    terminal.close();
  }
}

/** Asks on the terminal for what nobody should see: the answer is not echoed, and stands in no history. */
export function askHidden(question: string): Promise<string> {
  const { stdin, stderr } = process;
  clearDisplay();
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const typed: string[] = [];
  const onData = (chunk: string) => {
    for (const key of chunk)
      switch (key) {
        case "\r":
        case "\n":
        case CTRL_D:
          return resolve(typed.join(""));
        case CTRL_C:
          return interruptPrompt();
        case BACKSPACE:
        case DELETE:
          typed.pop();
          break;
        case CTRL_U:
          typed.length = 0;
          break;
        default:
          if (key >= " ") typed.push(key);
      }
  };
  const onInterrupted = () => reject(interruption.reason as Error);
  if (interruption.aborted) onInterrupted();
  interruption.addEventListener("abort", onInterrupted);
  // Before the question: what is typed as soon as it is read must not be echoed.
  stdin.setEncoding("utf8").setRawMode(true).on("data", onData).resume();
  stderr.write(question);
  return promise.finally(() => {
    interruption.removeEventListener("abort", onInterrupted);
    stdin.off("data", onData).setRawMode(false).pause();
    stderr.write("\n");
  });
}
