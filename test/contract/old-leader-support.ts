import { cp, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { expect } from "vitest";
import type { AddonRecord } from "../../provider/core/facets";
import type { AddonStatus } from "../../provider/core/status";
import { inspect } from "../../provider/operations/inspect";
import { readDataMark } from "../../provider/platforms/local/data-mark";
import { layoutOf } from "../../provider/platforms/local/home";
import type { ServerRequest } from "../../provider/platforms/contract";
import { eventually, type TestHome } from "../support/data-home";
import { follows } from "../support/follow";
import { make, run } from "./agent-support";

export interface Pair {
  readonly lead: AddonRecord;
  readonly copy: AddonRecord;
}

/** A leader and its follower, in sync, with this many keys. */
export async function makePair(
  home: TestHome,
  keys: number,
  { leader = {}, follower = {} }: { leader?: Partial<ServerRequest>; follower?: Partial<ServerRequest> } = {},
): Promise<Pair> {
  const { record: lead } = await make(home, "lead", leader);
  const { record: copy } = await make(home, "copy", follower);
  await follows(home, { name: "copy", leader: "lead" });
  await fill(lead, keys);
  await eventually("the follower has all", async () => (await run(copy, "DBSIZE")) === keys);
  return { lead, copy };
}

/** As many keys more as bring it to that number. */
export async function fill(record: AddonRecord, keys: number): Promise<void> {
  const present = Number(await run(record, "DBSIZE"));
  const pairs = Array.from({ length: keys - present }, (_, i) => [`key:${present + i}`, "x".repeat(100)]);
  if (pairs.length > 0) await run(record, "MSET", ...pairs.flat());
}

/** Waits until so many keys of the leader are marked as seen. */
export async function marked(home: TestHome, keys: number, name = "lead"): Promise<void> {
  await eventually(`${keys} keys of ${name} are marked`, async () => {
    const mark = await readDataMark(layoutOf(home.path).addon(name));
    return mark?.seen?.keys === keys && mark.unchecked === undefined;
  });
}

/** Kills the server while its agent sees nothing, does the work, and lets the agent go on. */
export async function whileDown(home: TestHome, name: string, work: () => Promise<void>): Promise<void> {
  const agent = await home.agentPid();
  process.kill(agent, "SIGSTOP");
  try {
    process.kill(await home.serverPid(name), "SIGKILL");
    await work();
  } finally {
    process.kill(agent, "SIGCONT");
  }
}

function dataFolder(home: TestHome, name = "lead"): string {
  return join(home.path, "addons", name, "data");
}

/** A copy of the data as they are on the disk now; `put` puts it in place of whatever is there. */
export async function copyOfData(
  home: TestHome,
  name = "lead",
  as = "older",
): Promise<{ put: (into?: string) => Promise<void> }> {
  const folder = join(home.path, `${as}-${name}`);
  await cp(dataFolder(home, name), folder, { recursive: true, preserveTimestamps: true });
  return {
    put: async (into = name) => {
      await rm(dataFolder(home, into), { recursive: true });
      await rename(folder, dataFolder(home, into));
    },
  };
}

/** The incr file that the server appends to. */
export async function appendedFile(home: TestHome, name = "lead"): Promise<string> {
  const folder = join(dataFolder(home, name), "appendonlydir");
  const incr = (await readdir(folder)).filter((file) => file.endsWith(".incr.aof")).sort();
  return join(folder, incr.at(-1) ?? "");
}

/** Waits until the leader runs and its status says that nobody gets its data. */
export function distrusted(home: TestHome, why: RegExp): Promise<AddonStatus> {
  return eventually(`lead is distrusted: ${why}`, async () => {
    const status = await inspect(home.platform, "lead", home.task);
    return status?.server.state === "running" && status.problems.some((text) => why.test(text)) && status;
  });
}

/** Long enough for the follower to have tried to copy its leader, and to have lost all, had it been let. */
export async function refusedCopies(home: TestHome, follower = "copy"): Promise<void> {
  const refusals = async () => {
    const text = await readFile(layoutOf(home.path).addon(follower).log, "utf8");
    return text.split("\n").filter((line) => line.includes("NOPERM")).length;
  };
  const before = await refusals();
  await eventually("it was refused again", async () => (await refusals()) > before + 1);
}

/** A server that writes its first AOF after a full sync can't be asked to leave. */
export async function onDisk(record: AddonRecord): Promise<void> {
  await eventually(`the data of ${record.name} are on its disk`, async () => {
    const info = String(await run(record, "INFO", "persistence"));
    return ["in_progress", "scheduled"].every((field) => info.includes(`aof_rewrite_${field}:0`));
  });
}

export async function expectKeys(record: AddonRecord, keys: number): Promise<void> {
  expect(await run(record, "DBSIZE")).toBe(keys);
}
