import { execFile } from "node:child_process";
import { readFileSync } from "node:fs";
import { readlink } from "node:fs/promises";
import { promisify } from "node:util";
import type { Clock } from "../core/task";

const run = promisify(execFile);

/** A process that can be recognised again: a pid alone is reused, so its start time belongs to it. */
export interface ProcessIdentity {
  readonly pid: number;
  /** Opaque: the kernel's start tick on Linux, `ps`'s start time elsewhere. Compare for equality alone. */
  readonly startedAt: string;
}

/** The identity of the process that has this pid now; absent: there is none (a zombie is none). */
export async function identify(pid: number): Promise<ProcessIdentity | undefined> {
  if (process.platform === "linux") {
    const stat = statOf(pid);
    if (stat === undefined) return undefined;
    // The command's name stands in parentheses and may hold spaces: count fields from behind it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const [state, startTick] = [fields[0], fields[19]];
    return state === "Z" || startTick === undefined ? undefined : { pid, startedAt: startTick };
  }
  const listed = await run("ps", ["-o", "stat=,lstart=", "-p", String(pid)]).catch(() => undefined);
  const line = listed?.stdout.trim() ?? "";
  return line === "" || line.startsWith("Z") ? undefined : { pid, startedAt: line.replace(/^\S+\s+/, "") };
}

/**
 * Asked of many processes, again and again. It lies on no disk, so the kernel answers at once; the asynchronous way takes
 * ten times as long, and 64 KiB of memory each time. The command's name may be no UTF-8: nobody reads it.
 */
function statOf(pid: number): string | undefined {
  try {
    return readFileSync(`/proc/${pid}/stat`, "utf8");
  } catch {
    return undefined;
  }
}

export async function isAlive(identity: ProcessIdentity): Promise<boolean> {
  return (await identify(identity.pid))?.startedAt === identity.startedAt;
}

/** The file that a process executes; absent where the system does not tell. */
export async function executableOf(pid: number): Promise<string | undefined> {
  if (process.platform === "linux") return readlink(`/proc/${pid}/exe`).catch(() => undefined);
  const listed = await run("ps", ["-o", "comm=", "-p", String(pid)]).catch(() => undefined);
  return listed?.stdout.trim();
}

/** Sends a signal to exactly that process, or to nobody where it is gone or its pid belongs to another one now. */
export async function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): Promise<boolean> {
  if (!(await isAlive(identity))) return false;
  try {
    process.kill(identity.pid, signal);
    return true;
  } catch {
    return false;
  }
}

/** Whether the process ended within the deadline. */
export async function waitForEnd(
  identity: ProcessIdentity,
  deadlineMs: number,
  clock: Clock,
): Promise<boolean> {
  const end = clock.now() + deadlineMs;
  while (await isAlive(identity)) {
    if (clock.now() >= end) return false;
    await clock.sleep(25);
  }
  return true;
}
