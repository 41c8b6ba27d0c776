import { execFile } from "node:child_process";
import { promisify } from "node:util";

const run = promisify(execFile);
const PATIENCE_MS = 30_000;

/** What a service manager's own programs need to find the user's manager, and no more. */
const PASSED_ON = /^(PATH|HOME|USER|LOGNAME|XDG_RUNTIME_DIR|DBUS_SESSION_BUS_ADDRESS|XDG_CONFIG_HOME)$/;

export type Answer =
  | { readonly outcome: "done"; readonly output: string }
  /** `absent`: there is no such program on the PATH. */
  | { readonly outcome: "failed"; readonly why: string; readonly absent: boolean };

/** Runs systemctl, loginctl or launchctl; that it fails is an answer. Throws with the signal alone. */
export async function runTool(
  program: string,
  args: readonly string[],
  signal: AbortSignal,
): Promise<Answer> {
  const passed = Object.entries(process.env).filter(([name]) => PASSED_ON.test(name));
  try {
    const { stdout } = await run(program, args, {
      env: { ...Object.fromEntries(passed), LC_ALL: "C" },
      timeout: PATIENCE_MS,
      signal,
    });
    return { outcome: "done", output: stdout.trim() };
  } catch (error) {
    signal.throwIfAborted();
    const { code, stderr, message } = error as NodeJS.ErrnoException & { readonly stderr?: string };
    const told = stderr?.trim().split("\n").join(" | ");
    return { outcome: "failed", why: told || message, absent: code === "ENOENT" };
  }
}
