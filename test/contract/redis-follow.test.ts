import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { REPLICA_USER } from "../../provider/core/access";
import { desiredServer, type LeaderAddress } from "../../provider/core/render";
import type { AddonRecord } from "../../provider/core/facets";
import { parseVersionOutput } from "../../provider/core/version";
import { converge } from "../../provider/redis/converge";
import { observeServer } from "../../provider/redis/observe";
import { preflightLeader } from "../../provider/redis/preflight";
import { classifySync } from "../../provider/redis/sync-status";
import { waitSynced } from "../../provider/redis/wait-synced";
import {
  eventually,
  following,
  startAddon,
  testRecord,
  testTask,
  type LocalAddon,
} from "../support/local-addon";
import { leaderFromTheFuture } from "../support/leader-from-the-future";
import { findRedisServer, freePort } from "../support/redis-server";

const DEADLINE = { deadlineMs: 20_000, name: "copy" };

/** Makes a running add-on follow, as the platform does. */
async function follow(addon: LocalAddon, leader: LeaderAddress): Promise<AddonRecord> {
  const record = following(addon.record);
  await converge(await addon.admin(), desiredServer(record, leader), testTask());
  return record;
}

/** Of the servers that tests run, as their program itself tells it. */
async function runningVersion(): Promise<string> {
  const { stdout } = await promisify(execFile)(findRedisServer(), ["--version"]);
  return parseVersionOutput(stdout)?.spelling ?? "unknown";
}

async function codes(addon: LocalAddon, leader: LeaderAddress): Promise<string[]> {
  const { findings } = await preflightLeader(await addon.admin(), leader, testTask());
  return findings.map(({ code, severity }) => `${severity} ${code}`);
}

test("a follower in sync reads what is written to its leader, and refuses writes", async () => {
  await using leader = await startAddon();
  await using follower = await startAddon();
  const [there, here] = [await leader.user(), await follower.user()];
  await there.command("SET", "before", "1");
  await follow(follower, leader.address);
  const said: string[] = [];
  const task = testTask(({ message }) => said.push(message));
  const admin = await follower.admin();
  expect(await waitSynced(admin, leader.address, task, DEADLINE)).toMatchObject({
    state: "synced",
    durable: true,
  });
  expect(await here.command("GET", "before")).toBe("1");
  await there.command("SET", "after", "2");
  expect(
    await eventually(
      () => here.command("GET", "after"),
      (value) => value === "2",
    ),
  ).toBe("2");
  await expect(here.command("SET", "mine", "3")).rejects.toMatchObject({ code: "read-only" });
  expect(new Set(said).size, "each progress once").toBe(said.length);

  const [above, below] = [await observeServer(await leader.admin()), await observeServer(admin)];
  expect(above).toMatchObject({ role: "leader", version: await runningVersion(), keysByDatabase: { 0: 2 } });
  expect(above.followers).toMatchObject([{ port: follower.server.port, state: "online" }]);
  expect(below.leader).toEqual({ host: "127.0.0.1", port: leader.server.port, linkUp: true });
  expect(below.replicationId).toBe(above.replicationId);
});

test("a follower in sync survives a kill -9 with everything it had, and follows again by itself", async () => {
  await using leader = await startAddon();
  await using follower = await startAddon();
  const there = await leader.user();
  for (let i = 0; i < 100; i++) await there.command("SET", `key:${i}`, i);
  const record = await follow(follower, leader.address);
  await waitSynced(await follower.admin(), leader.address, testTask(), DEADLINE);
  await follower.server.kill("SIGKILL");
  await leader.server.kill("SIGKILL");
  await follower.restart(record, leader.address);
  expect(await (await follower.user()).command("DBSIZE")).toBe(100);
  await leader.restart(leader.record, undefined);
  await waitSynced(await follower.admin(), leader.address, testTask(), DEADLINE);
});

test("a wrong password for the leader is named at once, with no secret", async () => {
  await using leader = await startAddon();
  await using follower = await startAddon();
  const address = { ...leader.address, password: "s3cret-wrong" };
  await follow(follower, address);
  const waiting = waitSynced(await follower.admin(), address, testTask(), DEADLINE);
  await expect(waiting).rejects.toMatchObject({ code: "wrong-password", operation: "follow" });
  await expect(waiting).rejects.not.toThrow("s3cret-wrong");
  expect(await codes(follower, address)).toEqual(["refuse wrong-password"]);
});

test("a leader that nobody answers for is named once the time is over", async () => {
  await using follower = await startAddon();
  const address = { host: "127.0.0.1", port: await freePort(), password: "" };
  await follow(follower, address);
  const waiting = waitSynced(await follower.admin(), address, testTask(), { deadlineMs: 500, name: "copy" });
  await expect(waiting).rejects.toMatchObject({
    code: "refused",
    subject: "copy",
    cause: expect.stringMatching(/not in sync after .*nothing accepts connections/) as unknown,
  });
  expect(await codes(follower, address)).toEqual(["refuse refused"]);
});

test("a snapshot that can't be loaded is named, though the leader answers and the link goes up and down", async () => {
  await using leader = await leaderFromTheFuture();
  await using follower = await startAddon();
  const address = { host: "127.0.0.1", port: leader.port, password: "" };
  await follow(follower, address);
  const waiting = waitSynced(await follower.admin(), address, testTask(), DEADLINE);
  await expect(waiting).rejects.toMatchObject({ code: "snapshot-not-loaded", subject: "copy" });
});

test("a user who may not replicate is named", async () => {
  await using leader = await startAddon();
  await using follower = await startAddon();
  const root = await leader.admin();
  await root.command("ACL", "SETUSER", "reader", "on", ">pw", "~*", "+@read", "+ping", "+info");
  const address = { ...leader.address, username: "reader", password: "pw" };
  await follow(follower, address);
  const waiting = waitSynced(await follower.admin(), address, testTask(), DEADLINE);
  await expect(waiting).rejects.toMatchObject({ code: "leader-refuses-psync" });
  // Without SYNC's sister the handshake passes and the snapshot doesn't.
  await root.command("ACL", "SETUSER", "reader", "+replconf");
  expect(await codes(follower, address)).toEqual(["refuse leader-refuses-psync"]);
});

test("a preflight has nothing against an ordinary leader, changes nothing and counts what would be lost", async () => {
  await using leader = await startAddon();
  await using follower = await startAddon();
  await (await follower.user()).command("SET", "mine", "1");
  const before = await (await leader.admin()).info();
  const found = await preflightLeader(await follower.admin(), leader.address, testTask());
  expect(found).toMatchObject({
    findings: [],
    followerKeys: 1,
    followsAlready: false,
    leader: { version: await runningVersion() },
  });
  const after = await (await leader.admin()).info();
  for (const field of ["sync_full", "sync_partial_err", "connected_slaves", "role"])
    expect(after.get(field), field).toBe(before.get(field));
});

test("a follower that a preflight asks as a leader isn't promoted by it", async () => {
  await using leader = await startAddon();
  await using middle = await startAddon();
  await using last = await startAddon();
  await follow(middle, leader.address);
  await waitSynced(await middle.admin(), leader.address, testTask(), DEADLINE);
  expect(await codes(last, middle.address)).toEqual([]);
  expect(await observeServer(await middle.admin())).toMatchObject({
    role: "follower",
    leader: { linkUp: true },
  });
});

test("itself is no leader", async () => {
  await using addon = await startAddon();
  expect(await codes(addon, addon.address)).toEqual(["refuse leader-is-itself"]);
});

test("a loop is found, directly and through others", async () => {
  await using first = await startAddon();
  await using second = await startAddon();
  await using third = await startAddon();
  await follow(second, first.address);
  await waitSynced(await second.admin(), first.address, testTask(), DEADLINE);
  await follow(third, second.address);
  await waitSynced(await third.admin(), second.address, testTask(), DEADLINE);
  expect(await codes(first, second.address)).toEqual(["refuse replication-loop"]);
  expect(await codes(first, third.address)).toEqual(["refuse replication-loop"]);
  expect(await codes(second, third.address)).toEqual(["refuse replication-loop"]);
  await using fifth = await startAddon();
  await follow(fifth, third.address);
  await waitSynced(await fifth.admin(), third.address, testTask(), DEADLINE);
  expect(await codes(second, fifth.address)).toEqual(["refuse replication-loop"]);
  // Two that follow the same leader may follow one another.
  await using fourth = await startAddon();
  await follow(fourth, first.address);
  await waitSynced(await fourth.admin(), first.address, testTask(), DEADLINE);
  expect(await codes(fourth, second.address)).toEqual([]);
});

test("fewer databases than the leader's are refused, by what is configured or by what is in use", async () => {
  await using leader = await startAddon(testRecord({ plan: "m_mono" }));
  await using follower = await startAddon(testRecord({ plan: "s_mono" }));
  const client = await follower.admin();
  expect(await codes(follower, leader.address), "nothing in use, and its number can't be read").toEqual([]);
  const told = await preflightLeader(client, leader.address, testTask(), { leaderDatabases: 5 });
  expect(told.findings).toMatchObject([{ code: "too-few-databases", severity: "refuse" }]);
  const asUser = await leader.user();
  await asUser.command("SELECT", 3);
  await asUser.command("SET", "k", "v");
  const { findings } = await preflightLeader(client, leader.address, testTask());
  expect(findings).toMatchObject([
    { code: "too-few-databases", cause: "the leader uses database 3 and this add-on has 1" },
  ]);
});

test("a write to a database that the follower lacks is told, though link and offsets look well", async () => {
  await using leader = await startAddon(testRecord({ plan: "m_mono" }));
  await using follower = await startAddon(testRecord({ plan: "s_mono" }));
  const [there, here] = [await leader.admin(), await follower.admin()];
  await follow(follower, leader.address);
  await waitSynced(here, leader.address, testTask(), DEADLINE);
  const before = await observeServer(here);
  const status = async () =>
    classifySync({
      follower: await here.info(),
      leader: await there.info(),
      unexpectedErrorsBefore: before.unexpectedErrorReplies,
    });
  expect(await status()).toMatchObject({ state: "synced" });
  const user = await leader.user();
  await user.command("SELECT", 3);
  await user.command("SET", "k", "v");
  await eventually(status, ({ state }) => state === "broken");
  expect((await observeServer(here)).leader?.linkUp).toBe(true);
});

test("more memory than the plan has is refused", async () => {
  await using leader = await startAddon();
  await using follower = await startAddon();
  await (await follower.admin()).command("CONFIG", "SET", "maxmemory", "1000");
  expect(await codes(follower, leader.address)).toEqual(["refuse too-little-memory"]);
});

test("a leader's replication user is what a follower needs, no more", async () => {
  await using leader = await startAddon();
  await using follower = await startAddon();
  expect(leader.address.username).toBe(REPLICA_USER);
  await follow(follower, leader.address);
  const users = async () => String(await (await leader.admin()).command("CLIENT", "LIST", "TYPE", "replica"));
  await waitSynced(await follower.admin(), leader.address, testTask(), DEADLINE);
  expect(await users()).toContain(`user=${REPLICA_USER} `);
});
