import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { totalmem } from "node:os";
import { promisify } from "node:util";
import { bareEnvironment } from "../../../system/bare-environment";
import type { SeenSwap } from "../judge/memory";

const run = promisify(execFile);

/** One line that the kernel tells; absent: it doesn't. */
export async function kernelLine(path: string): Promise<string | undefined> {
  return readFile(path, "utf8").then(
    (text) => text.trim(),
    () => undefined,
  );
}

export async function somaxconn(): Promise<number | undefined> {
  const line = await kernelLine("/proc/sys/net/core/somaxconn");
  return line === undefined ? undefined : Number(line);
}

/** The hard limit of open files of a process, of this one where none is given; absent: not told. */
export async function openFilesLimit(pid: number | "self" = "self"): Promise<number | undefined> {
  const limits = await kernelLine(`/proc/${pid}/limits`);
  const hard = /^Max open files +\S+ +(\d+|unlimited)/m.exec(limits ?? "")?.[1];
  const told = hard ?? (await shellLimit());
  if (told === undefined) return undefined;
  return told === "unlimited" ? Infinity : Number(told);
}

/** Where there is no /proc. */
async function shellLimit(): Promise<string | undefined> {
  const answer = await run("/bin/sh", ["-c", "ulimit -Hn"]).catch(() => undefined);
  const text = answer?.stdout.trim() ?? "";
  return /^(\d+|unlimited)$/.test(text) ? text : undefined;
}

/** What processes here may have: of a container its own limit, otherwise the machine's memory. */
export function memoryBytes(): number {
  const limit = process.constrainedMemory();
  return limit > 0 && limit < totalmem() ? limit : totalmem();
}

/** Absent: not Linux. */
export async function swap(): Promise<SeenSwap | undefined> {
  const info = await kernelLine("/proc/meminfo");
  const field = (name: string) => new RegExp(`^${name}: +(\\d+) kB`, "m").exec(info ?? "")?.[1];
  const [total, free] = [field("SwapTotal"), field("SwapFree")];
  if (total === undefined || free === undefined) return undefined;
  return { totalBytes: Number(total) * 1024, usedBytes: (Number(total) - Number(free)) * 1024 };
}

/** Whether systemd says that the clock is kept in time; absent: it doesn't say. */
export async function isSynchronised(signal: AbortSignal): Promise<boolean | undefined> {
  const asked = ["show", "--property=NTPSynchronized", "--value"];
  const options = { timeout: 5_000, signal, env: bareEnvironment() };
  const answer = await run("timedatectl", asked, options).catch(() => undefined);
  signal.throwIfAborted();
  const told = answer?.stdout.trim();
  return told === "yes" ? true : told === "no" ? false : undefined;
}
