import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { saveRecord } from "../../provider/agent/records/record-file";
import { haltAfterFatalLoad } from "../../provider/agent/replication/watch/failed-loads";
import type { Applied } from "../../provider/platforms/contract";
import type { AddonRecord, ReplicationWish } from "../../provider/core/facets";
import { connectAdmin } from "../../provider/operations/connect-admin";
import { inspect } from "../../provider/operations/inspect";
import { layoutOf } from "../../provider/platforms/local/home";
import { readRecord } from "../../provider/platforms/local/records";
import type { Info } from "../../provider/redis/info";
import { systemClock } from "../../provider/system/clock";
import { creates, eventually, makeTestHome, type TestHome } from "../support/data-home";
import { startFaultProxy } from "../support/fault-proxy";
import { follows } from "../support/follow";
import { leaderFromTheFuture } from "../support/leader-from-the-future";
import { following, testRecord } from "../support/local-addon";
import { serverOf } from "../support/matrix";
import { findRedisServer, startRedisServer } from "../support/redis-server";
import { describeWith } from "../support/tools";
import { agentLog, make, onPath, run, spellingOf } from "./agent-support";

/** A snapshot of this many keys is larger than what a test damages of it. */
const KEYS = 2_000;

const at = (port: number, username?: string, password = "") =>
  ({
    kind: "external",
    host: "127.0.0.1",
    port,
    password,
    ...(username === undefined ? {} : { username }),
  }) as const;

/** Follows at once, whatever a preflight would say: what a leader has is changed after one, too. */
async function told(home: TestHome, name: string, wish: ReplicationWish): Promise<Applied> {
  const change = {
    facet: "replication",
    name,
    claim: creates("f1"),
    given: [],
    wish,
    onData: "replace",
  } as const;
  return home.platform.apply(change, home.task);
}

function halted(home: TestHome, name: string): Promise<NonNullable<AddonRecord["replication"]>["halted"]> {
  return eventually(
    `${name} is told to follow nobody`,
    async () => (await home.platform.load(name))?.replication?.halted,
  );
}

async function infoOf(home: TestHome, record: AddonRecord): Promise<Info> {
  await using server = await connectAdmin(home.platform, record, home.task);
  return await server.info();
}

/** It has what it had before, for readers alone, and asks nobody for another snapshot. */
async function expectRestored(home: TestHome, record: AddonRecord): Promise<void> {
  const followsNobody = async () => {
    const info = await infoOf(home, record).catch(() => undefined);
    return info?.get("master_port") === "1" && info.get("loading") === "0" && info.get("aof_enabled") === "1";
  };
  await eventually("its server is back, following nobody", followsNobody);
  expect(await run(record, "GET", "mine")).toBe("kept");
  await expect(run(record, "SET", "mine", "lost")).rejects.toMatchObject({ code: "read-only" });
}

/** An add-on that holds one key. */
async function withData(
  home: TestHome,
  name: string,
  wish: Parameters<typeof make>[2] = {},
): Promise<AddonRecord> {
  const { record } = await make(home, name, wish);
  await run(record, "SET", "mine", "kept");
  return record;
}

async function filled(leader: Awaited<ReturnType<typeof startRedisServer>>): Promise<void> {
  const pipeline = leader.client.pipeline();
  for (let i = 0; i < KEYS; i++) pipeline.set(`key:${i}`, `value ${i}`);
  await pipeline.exec();
}

test("a snapshot of a format that is too new costs the follower nothing, and the next leader is followed", async () => {
  await using home = await makeTestHome();
  await using leader = await leaderFromTheFuture();
  const record = await withData(home, "copy");
  await told(home, "copy", at(leader.port));
  const { why } = (await halted(home, "copy")) ?? {};
  expect(why).toMatch(
    /^a server of version 7\.\S+ can't load the snapshot of its leader 127.0.0.1:\d+: .*format 9999/,
  );
  await expectRestored(home, record);
  const asked = leader.snapshots();
  expect(await agentLog(home)).toMatch(
    /copy: .*format 9999.*follows nobody until its replication is changed/,
  );
  expect((await inspect(home.platform, "copy", home.task))?.problems.join()).toContain("format 9999");

  await using sound = await startRedisServer({ args: ["--databases", "1"] });
  await sound.client.set("theirs", "yes");
  const { safetyBackup } = await follows(home, { name: "copy", leader: at(sound.port), replaceData: true });
  expect(safetyBackup?.keys).toBe(1);
  expect(await run(record, "GET", "theirs")).toBe("yes");
  expect((await home.platform.load("copy"))?.replication).not.toHaveProperty("halted");
  expect(leader.snapshots(), "once it was stopped").toBe(asked);
});

for (const newer of [serverOf("Redis 7.4"), serverOf("Valkey 9")])
  describeWith([newer], `a leader that became ${newer.name}`, () => {
    test("is followed no more, with the data of before", async () => {
      using _ = onPath(dirname(findRedisServer()));
      await using home = await makeTestHome();
      const record = await withData(home, "copy");
      await make(home, "lead", { version: spellingOf(newer) });
      await told(home, "copy", { kind: "addon", addon: "lead" });
      const { why } = (await halted(home, "copy")) ?? {};
      expect(why).toContain(`its leader lead, of version ${spellingOf(newer)}`);
      await expectRestored(home, record);
    });
  });

test("a damaged snapshot, which ends the server, is named; the next update follows what has been mended", async () => {
  await using home = await makeTestHome();
  await using leader = await startRedisServer({ args: ["--databases", "1"] });
  await filled(leader);
  await using link = await startFaultProxy(leader.port);
  const record = await withData(home, "copy");
  const pid = await home.serverPid("copy");
  link.set({ fromServer: { corruptAtByte: 30_000 } });
  const following = follows(home, { name: "copy", leader: at(link.port), replaceData: true });
  await expect(following).rejects.toMatchObject({
    code: "snapshot-not-loaded",
    cause: expect.stringContaining("it is damaged, or holds what this version doesn't know") as unknown,
  });
  await expectRestored(home, record);
  expect(await home.serverPid("copy")).not.toBe(pid);

  link.set({});
  await follows(home, { name: "copy", leader: at(link.port), replaceData: true });
  expect(await run(record, "DBSIZE")).toBe(KEYS);
});

test("keys of a database that the follower hasn't, which end its server, are named", async () => {
  await using home = await makeTestHome();
  await using leader = await startRedisServer();
  await leader.client.call("ACL", "SETUSER", "copier", "on", ">pw", "+psync", "+sync", "+replconf", "+ping");
  await leader.client.call("SELECT", 5);
  await leader.client.set("elsewhere", "x");
  const record = await withData(home, "copy");
  // What it uses can't be seen by a user without INFO.
  const following = follows(home, {
    name: "copy",
    leader: at(leader.port, "copier", "pw"),
    replaceData: true,
  });
  await expect(following).rejects.toMatchObject({
    code: "snapshot-not-loaded",
    cause: expect.stringContaining("beyond the 1 that this add-on has") as unknown,
  });
  await expectRestored(home, record);
});

test("with the data in memory alone they are gone, which is said together with the last backup", async () => {
  await using home = await makeTestHome();
  await using leader = await leaderFromTheFuture();
  const record = await withData(home, "copy", { persistence: "none" });
  const pid = await home.serverPid("copy");
  const applied = await told(home, "copy", at(leader.port));
  const { why } = (await halted(home, "copy")) ?? {};
  expect(why).toMatch(/format 9999.*what it had was in its memory alone and is gone, its last backup is /);
  expect(why).toContain(applied.outcome === "applied" && applied.safetyBackup?.slot);
  await eventually("it follows nobody", async () => (await infoOf(home, record)).get("master_port") === "1");
  expect(await home.serverPid("copy")).toBe(pid);
  await expect(run(record, "SET", "mine", "x")).rejects.toMatchObject({ code: "read-only" });
});

test("a server that ends by a snapshot while no agent runs isn't started to end again", async () => {
  await using home = await makeTestHome();
  await using leader = await startRedisServer({ args: ["--databases", "1"] });
  await filled(leader);
  await using link = await startFaultProxy(leader.port);
  const record = await withData(home, "copy");
  link.set({ fromServer: { stall: true } });
  await told(home, "copy", at(link.port));
  process.kill(await home.agentPid(), "SIGKILL");
  link.set({ fromServer: { corruptAtByte: 30_000 } });
  await eventually("its server has ended", () =>
    infoOf(home, record).then(
      () => false,
      () => true,
    ),
  );
  expect((await home.platform.load("copy"))?.replication).not.toHaveProperty("halted");
  // Any call starts another agent.
  await make(home, "other");
  expect((await halted(home, "copy"))?.why).toContain("damaged");
  await expectRestored(home, record);
});

test("a server that is killed again and again while it loads is kept from trying, not one that was killed once", async () => {
  const root = await mkdtemp(join(tmpdir(), "rah-"));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  const layout = layoutOf(root);
  const record = following({ ...testRecord(), name: "copy" });
  await saveRecord(layout, record);
  const ended = async (second: number) => {
    const line = `7:S 1 Jan 2026 00:00:0${second}.000 * MASTER <-> REPLICA sync: Loading DB in memory\n`;
    await writeFile(layout.addon("copy").log, line);
    return haltAfterFatalLoad(layout, "copy", systemClock);
  };
  const haltedWhy = async () => (await readRecord(layout, "copy"))?.replication?.halted?.why;
  // One end counts once, also where the next server can't be started for long.
  expect([await ended(1), await ended(1), await ended(1), await ended(2)]).toEqual(Array(4).fill(false));
  expect(await haltedWhy()).toBeUndefined();
  expect(await ended(3)).toBe(true);
  expect(await haltedWhy()).toMatch(/ended 3 times while loading it, most often for lack of memory/);
  expect(await ended(4), "it is said once").toBe(false);
});
