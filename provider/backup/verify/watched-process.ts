import { spawn } from "node:child_process";
import { once } from "node:events";
import { constants } from "node:os";
import { bareEnvironment } from "../../system/bare-environment";

/** How a process ended: by itself with a code, or by a signal's number. */
export type Ending = { readonly code: number } | { readonly signal: number };

/** A process that cannot outlive this one; disposing it ends it by SIGKILL, and waits until it is gone. */
export interface WatchedProcess extends AsyncDisposable {
  /** Absent while it runs. */
  ending(): Ending | undefined;
  /** The end of what it printed, both of its outputs in one. */
  output(): string;
}

/**
 * A shell starts the process, and a second one waits on a pipe that only we hold open: once that closes, also because
 * we were killed, it ends the process. No system but Linux could be asked for that, and Node.js asks none. Under
 * pressure the process is the first to be killed and the last to be served: it must not hurt the servers that people
 * use.
 */
const SCRIPT = [
  "exec 3<&0",
  "{",
  "  [ -w /proc/self/oom_score_adj ] && { echo 1000 >/proc/self/oom_score_adj; } 2>/dev/null",
  '  exec nice -n 19 "$@"',
  "} </dev/null 2>&1 3<&- &",
  "process=$!",
  'echo "watching $process"',
  "exec >/dev/null 2>&1",
  "{ read -r _; kill -9 $process; } <&3 &",
  "watcher=$!",
  "wait $process",
  "code=$?",
  "kill -9 $watcher",
  "wait $watcher",
  "exit $code",
].join("\n");

const KEPT_OUTPUT = 64 * 1024;
/** What a shell says of a program that isn't there. */
const NOT_FOUND = 127;

export function startWatched(program: string, args: readonly string[], folder: string): WatchedProcess {
  const shell = spawn("/bin/sh", ["-c", SCRIPT, "sh", program, ...args], {
    cwd: folder,
    stdio: ["pipe", "pipe", "ignore"],
    // A terminal's interruption is told to us; we end the process.
    detached: true,
    env: bareEnvironment(),
  });
  let output = "";
  let pid: number | undefined;
  let ending: Ending | undefined;
  shell.stdout.setEncoding("utf8").on("data", (chunk: string) => {
    output = (output + chunk).slice(-KEPT_OUTPUT);
    pid ??= pidIn(output);
  });
  shell.stdin.on("error", () => undefined);
  const ended = once(shell, "close").then(
    ([code]: unknown[]) => (ending = endingOf(code)),
    (error: Error) => {
      output += error.message;
      return (ending = { code: NOT_FOUND });
    },
  );
  return {
    ending: () => ending,
    output: () => output,
    async [Symbol.asyncDispose]() {
      // While the shell waits for it, its id belongs to nobody else. The pipe would do, were nobody to kill the watcher.
      if (pid !== undefined && shell.exitCode === null && shell.signalCode === null) killIfThere(pid);
      shell.stdin.end();
      await ended;
    },
  };
}

function pidIn(output: string): number | undefined {
  const pid = /^watching (\d+)$/m.exec(output)?.[1];
  return pid === undefined ? undefined : Number(pid);
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // It was gone already.
  }
}

/** A shell tells a signal as 128 and its number. Absent: somebody killed the shell, and that took the process along. */
function endingOf(code: unknown): Ending {
  if (typeof code !== "number") return { signal: constants.signals.SIGKILL };
  return code > 128 ? { signal: code - 128 } : { code };
}
