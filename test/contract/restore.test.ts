import { readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Redis } from "ioredis";
import { describe, expect, test } from "vitest";
import { inspect } from "../../provider/operations/inspect";
import { remove } from "../../provider/operations/remove";
import type { AddonRecord } from "../../provider/core/facets";
import { startAgent, stopAgent } from "../../provider/operations/agent";
import { layoutOf } from "../../provider/platforms/local/home";
import { carries, eventually, makeTestHome } from "../support/data-home";
import { follows } from "../support/follow";
import { until } from "../support/redis-server";
import {
  beginByHand,
  digestOf,
  expectNothingLeft,
  fill,
  recordOf,
  restored,
  restores,
  take,
  takeOfDatabase7,
  takenAs,
  withAdmin,
} from "../support/restore";
import { agentLog, make, run } from "./agent-support";

describe("a restore", () => {
  test("into an empty add-on brings the data of the backup, records from where, and is done once", async () => {
    await using home = await makeTestHome();
    const { record: source } = await make(home, "source");
    await fill(source, "one");
    const taken = await take(home, "source");
    const before = await digestOf(source);
    const { record } = await make(home, "copy");

    const result = await restored(home, "copy", taken);
    expect(result.restored).toMatchObject({ from: taken.from, backup: taken.slot, keys: 312 });
    expect(result.restored.archive).toContain(taken.slot);
    expect(result.downtimeMs).toBeGreaterThan(0);
    expect(result.safetyBackup).toBeUndefined();
    expect(result.warnings).toEqual([]);
    expect(await digestOf(record)).toBe(before);
    await run(record, "SET", "after", "the restore");
    await expectNothingLeft(home, "copy");

    const again = await restored(home, "copy", taken);
    expect(again.downtimeMs).toBeUndefined();
    expect(await run(record, "GET", "after")).toBe("the restore");
    // A person who says it twice means it.
    const meant = await restored(home, "copy", taken, { claim: { kind: "person" }, onData: "replace" });
    expect(meant.safetyBackup).toMatchObject({ keys: 313, verification: { outcome: "verified" } });
    expect(await digestOf(record)).toBe(before);
  });

  test("of an add-on that holds data is refused before anything is touched, unless these may be replaced", async () => {
    await using home = await makeTestHome();
    const { record } = await make(home, "cache");
    await run(record, "SET", "kept", "1");
    const taken = await take(home, "cache");
    await run(record, "SET", "newer", "1");
    const pid = await home.serverPid("cache");

    await expect(restores(home, "cache", taken)).rejects.toMatchObject({
      code: "holds-data",
      cause: expect.stringContaining("2 keys"),
      hint: expect.stringContaining("replaceData: true"),
    });
    expect(await home.serverPid("cache")).toBe(pid);
    await run(record, "SET", "newest", "1");

    const { safetyBackup, restored: noted } = await restored(home, "cache", taken, { onData: "replace" });
    expect(noted.safetyBackup).toBe(safetyBackup?.slot);
    expect(await run(record, "DBSIZE")).toBe(1);
    const saved = takenAs(taken, safetyBackup?.slot ?? "");
    await restored(home, "cache", saved, { onData: "replace" });
    expect(await run(record, "DBSIZE")).toBe(3);
    const status = await inspect(home.platform, "cache", home.task);
    expect(status).toMatchObject({ health: "healthy", problems: [], restored: { backup: saved.slot } });
    await expectNothingLeft(home, "cache");
  });

  test("is refused to a follower, to a stale state, and where there is no such add-on", async () => {
    await using home = await makeTestHome();
    await make(home, "lead");
    await make(home, "copy");
    await follows(home, { name: "copy", leader: "lead" });
    const taken = await take(home, "lead");
    await expect(restores(home, "copy", taken, { onData: "replace" })).rejects.toMatchObject({
      code: "is-follower",
      cause: expect.stringContaining("follows lead"),
    });
    await expect(restores(home, "lead", taken, { claim: carries("old") })).resolves.toEqual({
      outcome: "stale",
    });
    await expect(restores(home, "nobody", taken)).resolves.toEqual({ outcome: "absent" });
  });

  test("under a writer loses nothing that was acknowledged before writes were refused, or after", async () => {
    await using home = await makeTestHome();
    const { record } = await make(home, "cache");
    await run(record, "SET", "from", "the backup");
    const taken = await take(home, "cache");
    const writer = new Redis({
      ...{ port: record.server.wish.port, password: record.credentials.password },
      retryStrategy: () => 20,
      maxRetriesPerRequest: 0,
    });
    writer.on("error", () => undefined);
    const acknowledged: number[] = [];
    let refusedAfter: number | undefined;
    let isWriting = true;
    const writing = (async () => {
      for (let next = 1; isWriting; next++) {
        try {
          await writer.rpush("ledger", next);
          acknowledged.push(next);
        } catch {
          refusedAfter ??= acknowledged.length;
          await new Promise((resolve) => setTimeout(resolve, 5));
        }
      }
    })();
    await until("some writes", () => acknowledged.length > 500);
    const { safetyBackup } = await restored(home, "cache", taken, { onData: "replace" });
    const settledAt = acknowledged.length;
    await until("some more", () => acknowledged.length > settledAt + 500);
    isWriting = false;
    await writing;
    writer.disconnect();

    expect(refusedAfter).toBeGreaterThan(500);
    const after = (await run(record, "LRANGE", "ledger", "0", "-1")) as string[];
    expect(after.map(Number)).toEqual(acknowledged.slice(refusedAfter));
    expect(await run(record, "GET", "from")).toBe("the backup");
    const { record: other } = await make(home, "other");
    await restored(home, "other", takenAs(taken, safetyBackup?.slot ?? ""));
    const saved = (await run(other, "LRANGE", "ledger", "0", "-1")) as string[];
    expect(saved.map(Number).slice(0, refusedAfter)).toEqual(acknowledged.slice(0, refusedAfter));
  });

  test("of a leader is taken by its followers, who take its data for nothing older", async () => {
    await using home = await makeTestHome();
    const { record } = await make(home, "lead");
    const copies: AddonRecord[] = [];
    for (const name of ["a", "b"]) {
      copies.push((await make(home, name)).record);
      await follows(home, { name, leader: "lead" });
    }
    await fill(record, "old");
    const taken = await take(home, "lead");
    await run(record, "FLUSHALL");
    await fill(record, "new");
    const digests = async () => {
      const all = await Promise.all([record, ...copies].map((one) => digestOf(one)));
      return new Set(all);
    };
    await eventually("they have the new data", async () => (await digests()).size === 1);
    const newer = await digestOf(record);

    await restored(home, "lead", taken, { onData: "replace" });
    expect(await digestOf(record)).not.toBe(newer);
    for (const name of ["a", "b"])
      await eventually(`${name} is in sync`, async () => {
        const status = await inspect(home.platform, name, home.task);
        return status?.replication.role === "follower" && status.replication.sync.state === "synced";
      });
    await eventually("they have the old data", async () => (await digests()).size === 1);
    await run(record, "SET", "after", "1");
    const [a] = copies;
    await eventually("what is written comes", async () => a && (await run(a, "GET", "after")) === "1");
    expect(await agentLog(home)).not.toMatch(/older than when|not those that it had/);
  });

  test("brings an add-on back whose data folder is lost, and its followers, whose data are saved first", async () => {
    await using home = await makeTestHome();
    const { record } = await make(home, "lead");
    await fill(record, "old");
    await make(home, "copy");
    await follows(home, { name: "copy", leader: "lead" });
    const taken = await take(home, "lead");
    const before = await digestOf(record);
    await run(record, "SET", "newer", "1");
    const copy = await recordOf(home, "copy");
    await eventually("the copy has it", async () => (await run(copy, "GET", "newer")) === "1");
    await stopAgent(home.path, false, home.task);
    await rm(layoutOf(home.path).addon("lead").data, { recursive: true });

    const result = await restored(home, "lead", taken, { onData: "replace" });
    expect(result.safetyBackup).toBeUndefined();
    expect(result.warnings).toEqual([
      expect.stringContaining("its follower copy had data that lead did not"),
    ]);
    expect(await digestOf(record)).toBe(before);
    await eventually("the copy has it as well", async () => (await run(copy, "EXISTS", "newer")) === 0);
    await eventually("the copy follows", async () => (await digestOf(copy)) === before);
    await expectNothingLeft(home, "lead");
  });

  test("keeps the files that no server could load, also when the add-on is deleted, and says where", async () => {
    await using home = await makeTestHome();
    const { record } = await make(home, "cache");
    await fill(record, "old");
    const taken = await take(home, "cache");
    await stopAgent(home.path, false, home.task);
    const files = layoutOf(home.path).addon("cache");
    const aof = join(files.data, "appendonlydir");
    const name = (await readdir(aof)).find((file) => file.endsWith(".manifest")) ?? "";
    await writeFile(join(aof, name), "not a manifest\n");

    await expect(restores(home, "cache", taken)).rejects.toMatchObject({ code: "server-failed" });
    const { warnings } = await restored(home, "cache", taken, { onData: "replace" });
    const keptIn = layoutOf(home.path).kept;
    const [kept = ""] = await readdir(keptIn);
    expect(warnings).toEqual([expect.stringContaining(join(keptIn, kept))]);
    expect(await run(record, "DBSIZE")).toBe(312);
    await remove(home.platform, { name: "cache", token: "t1" }, home.task);
    expect(await readFile(join(keptIn, kept, "appendonlydir", name), "utf8")).toBe("not a manifest\n");
  });

  test.each(["none", "always"] as const)("works where persistence is %s", async (persistence) => {
    await using home = await makeTestHome();
    const { record } = await make(home, "cache", { persistence });
    await fill(record, "old");
    const taken = await take(home, "cache");
    const before = await digestOf(record);
    await run(record, "SET", "newer", "1");
    await restored(home, "cache", taken, { onData: "replace" });
    expect(await digestOf(record)).toBe(before);
    const appendonly = await withAdmin(record, (client) => client.config("GET", "appendonly"));
    expect(appendonly).toEqual(["appendonly", persistence === "none" ? "no" : "yes"]);
    await expectNothingLeft(home, "cache");
    await stopAgent(home.path, false, home.task);
    await startAgent(home.path, home.task);
    expect(await run(record, "DBSIZE")).toBe(312);
    expect(await digestOf(record)).toBe(before);
  });

  test("that its server can't load is undone: what was there is back, whatever kept it, and the call says why", async () => {
    await using home = await makeTestHome();
    const taken = await takeOfDatabase7(home);
    for (const persistence of ["everysec", "none"] as const) {
      const name = `small-${persistence}`;
      const { record } = await make(home, name, { persistence });
      await fill(record, "old");
      const before = await digestOf(record);
      // What is asked for is refused before its data are touched; what an agent has begun can only be undone.
      await beginByHand(home, name, taken);
      await expect(restores(home, name, taken, { onData: "replace" })).rejects.toMatchObject({
        code: "restore-undone",
        cause: expect.stringContaining("databases"),
        hint: expect.stringMatching(
          /data from before are back; they are also in the backup \d{8}T\d{9}Z, which `latest`/,
        ),
      });
      expect(await digestOf(record)).toBe(before);
      await run(record, "SET", "written", "again");
      expect(await recordOf(home, name)).not.toHaveProperty("restoring");
      expect(await recordOf(home, name)).not.toHaveProperty("restored");
      await expectNothingLeft(home, name);
    }
  });
});
