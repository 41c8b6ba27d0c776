import { execFile } from "node:child_process";
import { readdir, readFile, readlink } from "node:fs/promises";
import { createServer } from "node:net";
import { basename } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Whether a server could listen there at this moment. */
export function isPortFree(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", () => {
      resolve(false);
    });
    probe.listen({ host, port, exclusive: true }, () => {
      probe.close(() => {
        resolve(true);
      });
    });
  });
}

/** Who listens on a TCP port, for a message: `process 812 (nginx)`; absent where the system does not tell us. */
export async function portHolder(port: number): Promise<string | undefined> {
  return process.platform === "linux" ? linuxHolder(port) : lsofHolder(port);
}

async function linuxHolder(port: number): Promise<string | undefined> {
  const inodes = new Set<string>();
  for (const table of ["/proc/net/tcp", "/proc/net/tcp6"]) {
    const lines = (await readFile(table, "latin1").catch(() => "")).split("\n").slice(1);
    for (const line of lines) {
      const fields = line.trim().split(/\s+/);
      const [local, state, inode] = [fields[1], fields[3], fields[9]];
      const listening = state === "0A";
      if (listening && inode !== undefined && Number.parseInt(local?.split(":")[1] ?? "", 16) === port)
        inodes.add(`socket:[${inode}]`);
    }
  }
  if (inodes.size === 0) return undefined;
  for (const pid of (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry))) {
    const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
    for (const descriptor of descriptors) {
      const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => "");
      if (!inodes.has(target)) continue;
      // Not its `comm`: programs rename their threads.
      const program = await readlink(`/proc/${pid}/exe`).catch(() => "unknown");
      return `process ${pid} (${basename(program)})`;
    }
  }
  return "another user's process";
}

async function lsofHolder(port: number): Promise<string | undefined> {
  const listed = await run("lsof", ["-nP", `-iTCP:${port}`, "-sTCP:LISTEN", "-Fpc"]).catch(() => undefined);
  const pid = /^p(\d+)$/m.exec(listed?.stdout ?? "")?.[1];
  const command = /^c(.+)$/m.exec(listed?.stdout ?? "")?.[1];
  return pid === undefined ? undefined : `process ${pid} (${command ?? "unknown"})`;
}
