import { execFile } from "node:child_process";
import { readdir, readlink, realpath } from "node:fs/promises";
import { basename, join } from "node:path";
import { promisify } from "node:util";
import type { AddonLayout } from "../../platforms/local/home";
import { readProcessState, type NotedProcess } from "../../platforms/local/process-state";
import { executableOf, identify, isAlive, type ProcessIdentity } from "../../system/processes";

const run = promisify(execFile);

/** Of a process that nobody noted down. */
export const UNKNOWN_PORT = 0;

/** A server process of an add-on, and how it was launched; a process that nobody noted down is of unknown launch. */
export type OwnProcess = ProcessIdentity & Pick<NotedProcess, "port" | "fingerprint">;

/**
 * The add-on's server that an earlier agent left running, also one that doesn't answer yet or any more; absent: none.
 * Two servers on one data folder would both append to one AOF, so this must find every one.
 *
 * A process that was written down counts when its start time and executable are still what they were: its pid alone may
 * belong to anybody by now. One that wasn't (the agent died between the start and the note) is known by its working
 * folder, which is the add-on's data. Nobody is asked over the network: on its port may listen a stranger.
 */
export async function findOwnProcess(files: AddonLayout): Promise<OwnProcess | undefined> {
  const noted = await readProcessState(files);
  if (noted?.process !== undefined && (await isAlive(noted.process)) && (await isServer(noted.process.pid)))
    return noted.process;
  const pid = await serverInFolder(files.data);
  const identity = pid === undefined ? undefined : await identify(pid);
  return identity === undefined ? undefined : { ...identity, port: UNKNOWN_PORT, fingerprint: "unknown" };
}

async function isServer(pid: number): Promise<boolean> {
  const executable = await executableOf(pid);
  // Linux appends this once the file was replaced; the process still runs the old one.
  return (
    executable === undefined ||
    /^(redis|valkey)-server/.test(basename(executable.replace(/ \(deleted\)$/, "")))
  );
}

async function serverInFolder(folder: string): Promise<number | undefined> {
  const real = await realpath(folder).catch(() => undefined);
  if (real === undefined) return undefined;
  if (process.platform !== "linux") {
    const listed = await run("lsof", ["-a", "-d", "cwd", "-t", real]).catch(() => undefined);
    for (const pid of (listed?.stdout ?? "")
      .split("\n")
      .filter((line) => line !== "")
      .map(Number))
      if (await isServer(pid)) return pid;
    return undefined;
  }
  for (const pid of (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry))) {
    const cwd = await readlink(join("/proc", pid, "cwd")).catch(() => undefined);
    if (cwd === real && (await isServer(Number(pid)))) return Number(pid);
  }
  return undefined;
}
