import { spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, mkdir, readdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { saveRecord } from "../../provider/agent/records/record-file";
import { readCatalog } from "../../provider/backup/catalog";
import { runBackupJob } from "../../provider/backup/jobs/run-backup";
import type { AddonRecord } from "../../provider/core/facets";
import type { BackupJob } from "../../provider/core/job";
import type { Schedule } from "../../provider/core/schedule";
import { formatSlot } from "../../provider/core/slot";
import { type HomeLayout, layoutOf } from "../../provider/platforms/local/home";
import { readBackupState } from "../../provider/platforms/local/process-state";
import type { Store } from "../../provider/stores/contract";
import { systemClock } from "../../provider/system/clock";
import { identify } from "../../provider/system/processes";
import { type CompiledProgram, compileProgram } from "../support/compiled-program";
import { testRecord } from "../support/local-addon";
import { type RedisServer, startRedisServer, until } from "../support/redis-server";
import { task, temporaryFolder, temporaryStore } from "./backup-support";
import { atHand } from "./verify-support";

const CATALOG = "cache-00000000";
const HOUR = 3_600_000;
const DAY = 24 * HOUR;

async function slotsOf(store: Store): Promise<string[]> {
  const { backups, orphans } = await readCatalog(store, CATALOG, new AbortController().signal);
  expect(orphans).toEqual([]);
  return backups.map(({ name }) => name);
}

describe("machines that tick for one add-on", () => {
  const schedule: Schedule = { daily: "02:30", timezone: "Europe/Paris" };

  function job(server: RedisServer, destination: string): BackupJob {
    const since = "2026-03-01T00:00:00.000Z";
    return {
      kind: "backup",
      id: "job",
      addon: { name: "cache", catalogKey: CATALOG, createdAt: since },
      source: { host: "127.0.0.1", port: server.port },
      destination,
      reason: { kind: "scheduled", schedule, since },
    };
  }

  it("take each slot once, through a spring change, an autumn change and three days of sleep", async () => {
    await using server = await startRedisServer();
    await using opened = await temporaryStore();
    const tick = async (now: string): Promise<string[]> => {
      const clock = { ...systemClock, now: () => Date.parse(now) };
      const results = await Promise.all(
        ["aaaa", "bbbb", "cccc"].map((attempt) =>
          runBackupJob(job(server, opened.url), attempt, task({ clock })),
        ),
      );
      const taken = results.filter((result) => result.outcome === "backed-up" && result.takenHere);
      expect(taken.length).toBeLessThanOrEqual(1);
      return slotsOf(opened.store);
    };
    // 02:30 doesn't exist on that day: right after the gap, once.
    expect(await tick("2026-03-29T00:59:59Z")).toEqual(["20260328T013000000Z"]);
    expect(await tick("2026-03-29T01:00:00Z")).toHaveLength(2);
    expect(await tick("2026-03-29T01:30:00Z")).toHaveLength(2);
    // Asleep until the day of the other change, on which 02:30 comes twice.
    expect((await tick("2026-10-25T00:29:59Z")).slice(2)).toEqual(["20261024T003000000Z"]);
    expect((await tick("2026-10-25T00:30:00Z")).slice(3)).toEqual(["20261025T003000000Z"]);
    expect(await tick("2026-10-25T01:30:00Z")).toHaveLength(4);
    expect((await tick("2026-10-28T12:00:00Z")).slice(4)).toEqual(["20261028T013000000Z"]);
    // Set back: what lies there was taken, and stays the newest.
    expect(await tick("2026-10-26T00:00:00Z")).toHaveLength(5);
  });
});

describe("an agent", () => {
  let program: CompiledProgram;
  beforeAll(async () => {
    program = await compileProgram();
  });
  afterAll(() => program[Symbol.asyncDispose]());

  /** The real time; what takes seconds otherwise takes a hundredth of that. */
  function hurried() {
    let looks = 0;
    return {
      now: () => Date.now(),
      sleep: (ms: number, signal?: AbortSignal) => {
        if (ms === 5_000) looks += 1;
        return systemClock.sleep(ms / 100, signal);
      },
      get looks() {
        return looks;
      },
    };
  }

  const scheduled = (server: RedisServer, interval: string, destination: string): AddonRecord => ({
    ...testRecord({ port: server.port }),
    createdAt: "2020-01-01T00:00:00.000Z",
    backups: {
      wish: { schedule: { every: interval }, retention: { days: 7 }, destination },
      instance: { token: "b", confirmed: true },
      given: [],
      since: "2020-01-01T00:00:00.000Z",
    },
  });

  async function letsUsIn(server: RedisServer): Promise<void> {
    const { replicaPassword } = testRecord().credentials;
    const rules = ["on", `>${replicaPassword}`, "+@all", "~*"];
    await server.client.call("ACL", "SETUSER", "redis-addon-capture", ...rules);
  }

  /** A job of an earlier agent that has said that, and that nobody has collected. */
  async function endedJob(layout: HomeLayout, result: object): Promise<void> {
    const left = join(layout.jobs, "left");
    await mkdir(left, { recursive: true });
    await writeFile(join(left, "errors.log"), "");
    await writeFile(join(left, "output.ndjson"), `${JSON.stringify(result)}\n`);
    await writeFile(join(left, "job.json"), JSON.stringify({ addon: "cache", pid: 1, startedAt: "x" }));
  }

  function runner(home: string, clock = hurried()) {
    const { BackupRunner } = createRequire(import.meta.url)(
      program.path("provider/agent/backups/backup-runner.ts"),
    ) as typeof import("../../provider/agent/backups/backup-runner");
    const leaving = new AbortController();
    const runs = new BackupRunner(layoutOf(home), clock, leaving.signal).run();
    const looks = async (count: number): Promise<void> => {
      const end = clock.looks + count;
      await until("it has looked", async () => clock.looks >= end);
    };
    return {
      looks,
      [Symbol.asyncDispose]: async () => {
        leaving.abort();
        await runs;
      },
    };
  }

  it("and another one that has the same add-on leave one backup of the slot, and both know of it", async () => {
    await using server = await startRedisServer();
    await using opened = await temporaryStore();
    await letsUsIn(server);
    await using folder = await temporaryFolder();
    const homes = ["one", "two"].map((name) => join(folder.path, name));
    // The slot of which does not change while this runs.
    for (const home of homes) await saveRecord(layoutOf(home), scheduled(server, "366d", opened.url));
    await using one = runner(homes[0] ?? "");
    await using two = runner(homes[1] ?? "");
    const newest = Math.floor(Date.now() / (366 * DAY)) * 366 * DAY;
    for (const home of homes)
      await until("it is noted", async () => {
        const state = await readBackupState(layoutOf(home).addon("cache"));
        return (state?.newestSlotAt ?? 0) >= newest;
      });
    await Promise.all([one.looks(10), two.looks(10)]);
    expect(await slotsOf(opened.store)).toEqual([formatSlot(newest)]);
  });

  it("whose backup outlasts its interval takes one when that has ended, the newest slot, and none besides", async () => {
    await using server = await startRedisServer();
    await using opened = await temporaryStore();
    await letsUsIn(server);
    await using folder = await temporaryFolder();
    const layout = layoutOf(folder.path);
    await saveRecord(layout, scheduled(server, "1h", opened.url));
    const child = spawn(process.execPath, ["-e", "setInterval(() => {}, 1000)"], { stdio: "ignore" });
    try {
      await once(child, "spawn");
      const noted = await identify(child.pid ?? 0);
      const left = join(layout.jobs, "left");
      await mkdir(left, { recursive: true });
      await writeFile(join(left, "errors.log"), "");
      await writeFile(join(left, "output.ndjson"), "");
      await writeFile(join(left, "job.json"), JSON.stringify({ addon: "cache", ...noted }));
      await using agent = runner(folder.path);
      await agent.looks(40);
      expect(await readdir(layout.jobs)).toEqual(["left"]);

      const result = {
        type: "result",
        outcome: "backed-up",
        slot: formatSlot(Math.floor(Date.now() / HOUR) * HOUR - 5 * HOUR),
        archiveUrl: "file:///backups/x.tar.gz",
        ...{ sizeBytes: 1, takenHere: true, pruned: [], warnings: [] },
      };
      const before = Math.floor(Date.now() / HOUR);
      await appendFile(join(left, "output.ndjson"), `${JSON.stringify(result)}\n`);
      await until("the next one is noted", async () => {
        const state = await readBackupState(layout.addon("cache"));
        return (state?.newestSlotAt ?? 0) >= before * HOUR;
      });
      await agent.looks(40);
      // A run that goes on past the hour sees another slot.
      const after = Math.floor(Date.now() / HOUR);
      const expected = before === after ? [before] : [before, after];
      const taken = await slotsOf(opened.store);
      expect(expected.map((hour) => formatSlot(hour * HOUR)).slice(0, taken.length)).toEqual(taken);
    } finally {
      child.kill("SIGKILL");
    }
  });

  it("keeps what it knew of verified backups where a job finds nothing due, and forgets the failure", async () => {
    await using folder = await temporaryFolder();
    const layout = layoutOf(folder.path);
    const { backups } = layout.addon("cache");
    await mkdir(layout.addon("cache").root, { recursive: true });
    const newestVerifiedAt = Date.now() - 2 * DAY;
    const failed = { at: new Date().toISOString(), outcome: "failed", detail: "a full disk", failures: 3 };
    await writeFile(backups, JSON.stringify({ ...failed, newestVerifiedAt }));
    await endedJob(layout, { type: "result", outcome: "not-due" });
    await using agent = runner(folder.path);
    await agent.looks(5);
    expect(await readBackupState(layout.addon("cache"))).toMatchObject({
      outcome: "backed-up",
      detail: "an earlier backup",
      failures: 0,
      newestVerifiedAt,
    });
  });

  it("knows what a job that finds nothing due has seen in the catalog, whatever a clock that was ahead noted", async () => {
    await using folder = await temporaryFolder();
    const layout = layoutOf(folder.path);
    await mkdir(layout.addon("cache").root, { recursive: true });
    const ahead = Date.now() + 400 * DAY;
    const note = { at: new Date(ahead).toISOString(), outcome: "backed-up", detail: "a slot" };
    await writeFile(
      layout.addon("cache").backups,
      JSON.stringify({ ...note, newestSlotAt: ahead, newestVerifiedAt: ahead }),
    );
    const seen = Date.now() - DAY;
    await endedJob(layout, { type: "result", outcome: "not-due", newestVerified: formatSlot(seen) });
    await using agent = runner(folder.path);
    await agent.looks(5);
    expect((await readBackupState(layout.addon("cache")))?.newestVerifiedAt).toBe(seen);
  });
});

describe("a slot that is not due", () => {
  it("tells the newest verified backup of the add-on, whoever verified it", async () => {
    await using server = await startRedisServer();
    await using opened = await temporaryStore();
    await using folder = await temporaryFolder();
    const proof = { servers: [atHand()] };
    const base = {
      kind: "backup",
      id: "job",
      source: { host: "127.0.0.1", port: server.port },
      destination: opened.url,
      scratchFolder: folder.path,
    } as const;
    const since = new Date(Date.now() - 400 * DAY).toISOString();
    const reason = { kind: "scheduled", schedule: { every: "1d" }, since } as const;
    const addon = { name: "cache", catalogKey: CATALOG, createdAt: since };
    const taken = await runBackupJob({ ...base, addon, reason }, "aaaa", task());
    if (taken.outcome !== "backed-up") throw new Error(taken.outcome);
    // Without a proof nobody has looked; the next one that finds nothing due does.
    const looked = { type: "result", outcome: "not-due" };
    expect(await runBackupJob({ ...base, addon, reason }, "bbbb", task())).toEqual(looked);
    const told = { ...looked, newestVerified: taken.slot };
    expect(await runBackupJob({ ...base, addon, reason, proof }, "cccc", task())).toEqual(told);
    expect(await runBackupJob({ ...base, addon, reason, proof }, "dddd", task())).toEqual(told);
    // Of an earlier add-on of the same name it is no news.
    const anew = { ...addon, createdAt: new Date(Date.now() - 1).toISOString() };
    expect(await runBackupJob({ ...base, addon: anew, reason, proof }, "eeee", task())).toEqual(looked);
  });
});

describe("a note of an earlier version, which tells of the last run alone,", () => {
  const SLOT = Date.parse("2026-05-10T03:00:00Z");
  const note = { at: "2026-05-10T03:00:09.000Z", outcome: "backed-up", detail: "a slot", newestSlotAt: SLOT };

  it.each([
    ["is of the newest verified backup where that run verified one", { verification: "verified" }, SLOT],
    ["tells of none where it did not", { verification: "structure-checked" }, undefined],
    ["yields to what is noted today", { verification: "verified", newestVerifiedAt: SLOT - DAY }, SLOT - DAY],
  ])("%s", async (_, more, expected) => {
    await using folder = await temporaryFolder();
    const files = layoutOf(folder.path).addon("cache");
    await mkdir(files.root, { recursive: true });
    await writeFile(files.backups, JSON.stringify({ ...note, ...more }));
    expect((await readBackupState(files))?.newestVerifiedAt).toBe(expected);
  });
});
