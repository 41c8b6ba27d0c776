import { execFile } from "node:child_process";
import { readdir, readFile, readlink } from "node:fs/promises";
import { createServer } from "node:net";
import { networkInterfaces } from "node:os";
import { basename } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Why nothing can listen on an address and port at this moment. */
export interface ListenProblem {
  readonly kind: "taken" | "not-permitted" | "no-such-address" | "other";
  /** A clause for a message: `port 6379 of 127.0.0.1 is taken by process 812 (nginx)`. */
  readonly why: string;
}

/** What keeps a server from listening there; absent: nothing does. Port 0 asks for the address alone. */
export async function listenProblem(host: string, port: number): Promise<ListenProblem | undefined> {
  const error = await tryListening(host, port);
  if (error === undefined) return undefined;
  switch (error.code) {
    case "EADDRINUSE":
      return {
        kind: "taken",
        why: `port ${port} of ${host} is taken by ${(await portHolder(port)) ?? "another process"}`,
      };
    case "EACCES":
      return {
        kind: "not-permitted",
        why: `this user may not listen on port ${port}: systems reserve those below 1024`,
      };
    case "EADDRNOTAVAIL":
    case "EAFNOSUPPORT":
      return {
        kind: "no-such-address",
        why: `this machine has no address ${host}, it has ${ownAddresses().join(", ")}`,
      };
    default:
      return { kind: "other", why: `nothing can listen on ${host} and port ${port}: ${error.message}` };
  }
}

/** Whether a server could listen there at this moment. */
export async function isPortFree(host: string, port: number): Promise<boolean> {
  return (await tryListening(host, port)) === undefined;
}

function tryListening(host: string, port: number): Promise<NodeJS.ErrnoException | undefined> {
  // As Redis takes them: `*` is every address of version 4, and one of version 6 never answers for version 4.
  const listened = { host: host === "*" ? "0.0.0.0" : host, port, exclusive: true, ipv6Only: true };
  return new Promise((resolve) => {
    const probe = createServer();
    probe.once("error", resolve);
    probe.listen(listened, () => {
      probe.close(() => {
        resolve(undefined);
      });
    });
  });
}

function ownAddresses(): string[] {
  return Object.values(networkInterfaces()).flatMap((found) => (found ?? []).map(({ address }) => address));
}

/** Who listens on a TCP port, for a message: `process 812 (nginx)`; absent where the system does not tell us. */
async function portHolder(port: number): Promise<string | undefined> {
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
