// Runs a program in our place: our terminal is its terminal, its end is our end.
import { spawn } from "node:child_process";

/**
 * @param {string} command @param {string[]} args @param {{ env: NodeJS.ProcessEnv, cwd?: string }} options
 * @returns {Promise<number>} its exit code; if a signal ended it, the same signal ends us
 */
export async function passThrough(command, args, options) {
  const child = spawn(command, args, { ...options, stdio: "inherit" });
  // A terminal's Ctrl-C reaches the whole group, and Pulumi takes a second one as "stop at once": so it is
  // passed on only where no terminal can have done it. In either case we outlive the child.
  const hasTerminal = process.stdin.isTTY || process.stdout.isTTY || process.stderr.isTTY;
  const listeners = ["SIGINT", "SIGTERM", "SIGHUP"].map((signal) => {
    const listener = () => {
      if (signal !== "SIGINT" || !hasTerminal) child.kill(signal);
    };
    process.on(signal, listener);
    return () => process.off(signal, listener);
  });
  const { code, signal } = await new Promise((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal }));
  });
  for (const stopListening of listeners) stopListening();
  if (signal) process.kill(process.pid, signal);
  return code ?? 1;
}

/** passThrough as the last thing that a script does. */
export async function handOver(command, args, options) {
  process.exitCode = await passThrough(command, args, options);
}
