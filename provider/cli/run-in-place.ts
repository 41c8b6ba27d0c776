import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { Failure } from "../core/errors";
import { leaveSignalsTo } from "./interruption";
import { PASSPHRASE_VARIABLE } from "./secrets";
import { clearDisplay } from "./terminal";

/**
 * Runs another program in this one's place: the terminal, its keys and standard input are the other's until it ends.
 * Returns its exit code, a shell's where a signal ended it.
 */
export async function runInPlace(
  file: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<number> {
  clearDisplay();
  const { [PASSPHRASE_VARIABLE]: _passphrase, ...inherited } = process.env;
  const child = spawn(file, args, { stdio: "inherit", env: { ...inherited, ...environment } });
  using _ = leaveSignalsTo(child);
  try {
    const [code, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
    return code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
  } catch (error) {
    throw new Failure({ code: "not-run", operation: "run", subject: file, cause: String(error) });
  }
}
