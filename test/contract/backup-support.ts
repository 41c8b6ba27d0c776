import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { Redis } from "ioredis";
import type { Clock, Progress, Task } from "../../provider/core/task";
import type { Store } from "../../provider/stores/contract";
import { openStore } from "../../provider/stores/open";
import { systemClock } from "../../provider/system/clock";
import { type FaultProxy, startFaultProxy } from "../support/fault-proxy";

export async function temporaryFolder() {
  const path = await mkdtemp(join(tmpdir(), "backup-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

export async function temporaryStore() {
  const folder = await temporaryFolder();
  const url = pathToFileURL(folder.path).href;
  return { store: await openStore(url), url, [Symbol.asyncDispose]: folder[Symbol.asyncDispose] };
}

export function task(overrides: Partial<Task> = {}): Task & { readonly told: Progress[] } {
  const told: Progress[] = [];
  return {
    signal: new AbortController().signal,
    clock: systemClock,
    progress: (progress) => told.push(progress),
    told,
    ...overrides,
  };
}

/** Unpacks a stored archive with GNU tar, as a user would. */
export async function unpacked(store: Store, key: string) {
  const folder = await temporaryFolder();
  await promisify(execFile)("tar", ["-xzf", join(fileURLToPath(store.url), key), "-C", folder.path]);
  return folder;
}

export async function names(store: Store): Promise<string[]> {
  return (await store.list("", new AbortController().signal)).map(({ key }) => key);
}

export async function digest(client: Redis): Promise<string> {
  return String(await client.call("DEBUG", "DIGEST"));
}

/** Writes as fast as it can until it is stopped: each value is a number, without a gap. Returns the last one written. */
export function writeLedger(client: Redis): { stop(): Promise<number>; written(): number } {
  let running = true;
  let written = 0;
  const done = (async () => {
    while (running) {
      const batch = client.pipeline();
      for (let entry = 0; entry < 200; entry++) batch.rpush("ledger", ++written).incr("counter");
      await batch.exec();
    }
    return written;
  })();
  return {
    written: () => written,
    stop: () => {
      running = false;
      return done;
    },
  };
}

/** A proxy that ends every connection after so many bytes from the server. */
export async function cuttingProxy(target: number, afterBytes: number): Promise<FaultProxy> {
  const proxy = await startFaultProxy(target);
  proxy.set({ fromServer: { cutAfterBytes: afterBytes } });
  return proxy;
}

/** The command line and environment of a process, as others on the machine may see them. */
export async function visibleOf(pid: number): Promise<string> {
  const read = (file: string) => readFile(`/proc/${pid}/${file}`, "utf8");
  return `${await read("cmdline")}${await read("environ")}`;
}

/** A clock whose sleeps take no time but let others have a turn; `each` is what happens in them. */
export function hurried(each: () => Promise<unknown> = async () => undefined): Clock & { paused: number } {
  const clock = {
    paused: 0,
    now: () => clock.paused,
    sleep: async (ms: number, signal?: AbortSignal) => {
      await systemClock.sleep(1, signal);
      clock.paused += ms;
      await each();
    },
  };
  return clock;
}
