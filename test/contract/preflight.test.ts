import { expect, it } from "vitest";
import type { Redis } from "ioredis";
import { connectRedis } from "../../provider/redis/client";
import { numberIn, parseInfo } from "../../provider/redis/info";
import { preflightLeader, preflightLeaderAlone } from "../../provider/redis/preflight";
import { sharesHistory } from "../../provider/redis/preflight/shares-history";
import { startAddon, testRecord, testTask } from "../support/local-addon";
import { describeMatrix, matrix } from "../support/matrix";
import { freePort, startRedisServer, until, type RedisServer } from "../support/redis-server";

/** Nobody listens there without being root. */
const NOBODY = ["127.0.0.1", 1] as const;

async function infoOf(client: Redis) {
  return parseInfo(await client.info());
}

async function followSynced(follower: RedisServer, leader: RedisServer): Promise<void> {
  await follower.client.call("REPLICAOF", leader.host, leader.port);
  await until(`${follower.port} follows ${leader.port}`, async () => {
    const info = await infoOf(follower.client);
    return info.get("master_link_status") === "up" && info.get("master_port") === String(leader.port);
  });
}

/** What is foretold of a server that is to follow another one, and what that one then does. */
async function foretoldAndDone(follower: RedisServer, leader: RedisServer) {
  const foretold = sharesHistory(await infoOf(follower.client), await infoOf(leader.client));
  const before = await infoOf(leader.client);
  await followSynced(follower, leader);
  const after = await infoOf(leader.client);
  const grown = (field: string) => (numberIn(after, field) ?? 0) - (numberIn(before, field) ?? 0);
  return { foretold, partial: grown("sync_partial_ok") === 1 && grown("sync_full") === 0 };
}

describeMatrix((version) => {
  const start = () =>
    startRedisServer({
      executable: version.path,
      // Pings would move the offsets while a test looks at them.
      args: ["--repl-ping-replica-period", "3600", "--repl-backlog-size", "16kb", "--save", ""],
    });

  it("does a partial resync where that was foretold, and in no other case", async () => {
    await using leader = await start();
    await using first = await start();
    await using second = await start();
    await leader.client.set("k", "v");
    await first.client.set("own", "data");
    const yes = { foretold: true, partial: true };
    const no = { foretold: false, partial: false };
    expect(await foretoldAndDone(first, leader), "one that was never a follower").toEqual(no);
    expect(await foretoldAndDone(second, leader), "an empty one").toEqual(no);
    await leader.client.set("k", "v2");
    const arrived = async () =>
      (await first.client.get("k")) === "v2" && (await second.client.get("k")) === "v2";
    await until("both have the first bytes of the leader's history", arrived);
    expect(await foretoldAndDone(first, second), "a sibling").toEqual(yes);
    expect(await foretoldAndDone(first, leader), "back").toEqual(yes);

    await first.client.call("REPLICAOF", ...NOBODY);
    await leader.client.set("a little", "later");
    expect(await foretoldAndDone(first, leader), "after a pause").toEqual(yes);
    await first.client.call("REPLICAOF", ...NOBODY);
    await leader.client.set("more than the backlog has room for", "x".repeat(50_000));
    expect(await foretoldAndDone(first, leader), "after too long a pause").toEqual(no);

    await until("the sibling has it all", async () => (await second.client.dbsize()) === 3);
    await second.client.call("REPLICAOF", "NO", "ONE");
    await second.client.set("of the new history", "1");
    expect(await foretoldAndDone(first, second), "a promoted sibling").toEqual(yes);
    expect(await foretoldAndDone(leader, second), "the former leader of it").toEqual(yes);
    await leader.client.call("REPLICAOF", "NO", "ONE");
    expect(await foretoldAndDone(leader, second), "one that was promoted and wrote nothing").toEqual(no);
    await second.client.call("REPLICAOF", "NO", "ONE");
    await leader.client.call("REPLICAOF", "NO", "ONE");
    await leader.client.set("written by both", "1");
    expect(await foretoldAndDone(leader, second), "one that went its own way").toEqual(no);
  });

  it("is a leader of add-ons whose version loads its snapshot, and no other", async () => {
    await using leader = await start();
    await using follower = await startAddon(testRecord({ plan: "xxxl_mono" }));
    const { port } = leader;
    const found = await preflightLeader(
      await follower.admin(),
      { host: "127.0.0.1", port, password: "" },
      testTask(),
    );
    const everyday = matrix[1]?.name ?? "";
    const loads = version.name.startsWith("Redis 6.2") || version.name === everyday;
    expect(found.findings.map(({ severity, code }) => `${severity} ${code}`)).toEqual(
      // Also where a Valkey lists its Lua as a module.
      loads ? [] : ["refuse snapshot-format"],
    );
  });
});

it("a leader that hides its INFO is followed, and the warning says what nobody could compare", async () => {
  await using leader = await startRedisServer();
  await using follower = await startAddon();
  await leader.client.call("ACL", "SETUSER", "hidden", "on", ">pw", "+psync", "+sync", "+replconf", "+ping");
  const address = { host: leader.host, port: leader.port, username: "hidden", password: "pw" };
  const { findings, sharesHistory: shares } = await preflightLeader(
    await follower.admin(),
    address,
    testTask(),
  );
  expect(shares).toBe(false);
  expect(findings).toEqual([
    expect.objectContaining({
      code: "leader-unknown",
      severity: "warn",
      cause: expect.stringMatching(
        /version, databases, modules, memory, disk, and whether it is this/,
      ) as unknown,
    }),
  ]);
  expect(await preflightLeaderAlone(address, testTask())).toMatchObject([{ code: "leader-unknown" }]);
});

it("too little room on the disk is refused with both figures", async () => {
  await using leader = await startRedisServer({
    args: ["--databases", "1", "--enable-debug-command", "yes"],
  });
  await leader.client.call("DEBUG", "POPULATE", 20_000, "k", 100);
  await using follower = await startAddon();
  const address = { host: leader.host, port: leader.port, password: "" };
  const ask = async (freeBytes: number) =>
    (await preflightLeader(await follower.admin(), address, testTask(), { freeBytes })).findings;
  expect(await ask(1024 ** 2)).toEqual([
    expect.objectContaining({
      code: "too-little-disk",
      cause: expect.stringMatching(/may take \d+ MiB on the disk.* it has 1 MiB left/) as unknown,
    }),
  ]);
  expect(await ask(1024 ** 3)).toEqual([]);
});

it("a library of functions counts as data that following would replace", async () => {
  await using leader = await startAddon();
  await using follower = await startAddon();
  const library = "#!lua name=mine\nredis.register_function('f', function() return 1 end)";
  await (await follower.user()).command("FUNCTION", "LOAD", library);
  const { held } = await preflightLeader(await follower.admin(), leader.address, testTask());
  expect(held).toEqual({ keys: 0, libraries: 1 });
});

it("an address alone is told to be unreachable, to refuse the password, or to be loading", async () => {
  await using leader = await startRedisServer({ args: ["--requirepass", "pw"] });
  const ask = (port: number, password: string) =>
    preflightLeaderAlone({ host: "127.0.0.1", port, password }, testTask(), 2_000);
  expect(await ask(leader.port, "pw")).toEqual([]);
  expect(await ask(leader.port, "hush-hush")).toMatchObject([{ code: "wrong-password", transient: false }]);
  expect(JSON.stringify(await ask(leader.port, "hush-hush"))).not.toContain("hush-hush");
  expect(await ask(await freePort(), "pw")).toMatchObject([{ code: "refused", transient: true }]);
  await using client = await connectRedis(
    { host: leader.host, port: leader.port, password: "pw" },
    testTask(),
  );
  await client.command("CLIENT", "PAUSE", 60_000, "ALL");
  const impatient = preflightLeaderAlone({ ...leader, password: "pw" }, testTask(), 300);
  expect(await impatient).toMatchObject([{ code: "timeout", transient: true }]);
});
