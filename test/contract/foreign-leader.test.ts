import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { AddonRecord } from "../../provider/core/facets";
import { inspect } from "../../provider/operations/inspect";
import { startAgent, stopAgent } from "../../provider/operations/agent";
import { eventually, makeTestHome, type TestHome } from "../support/data-home";
import { startFaultProxy } from "../support/fault-proxy";
import { follows } from "../support/follow";
import { freePort, startRedisServer, type RedisServer } from "../support/redis-server";
import { agentLog, crash, make, run } from "./agent-support";

const PASSWORD = "leader-s3cret";
const COPY = "copy";
const ROOMY = { memory: "128mb", connections: 100, databases: 16 } as const;
const DURABLE = ["--appendonly", "yes"];

/** A stock server on one port and folder, however often it is started anew. */
async function stockLeader(args: readonly string[] = ["--requirepass", PASSWORD]) {
  const dir = await mkdtemp(join(tmpdir(), "stock-"));
  const port = await freePort();
  const begin = () => startRedisServer({ dir, port, args: [...DURABLE, ...args] });
  let server = await begin();
  return {
    port,
    dir,
    client: () => server.connect({ password: PASSWORD }),
    kill: () => server.stop("SIGKILL"),
    start: async () => {
      server = await begin();
    },
    wipe: async () => {
      await server.stop("SIGKILL");
      await rm(join(dir, "appendonlydir"), { recursive: true, force: true });
      await rm(join(dir, "dump.rdb"), { force: true });
    },
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await rm(dir, { recursive: true, force: true });
    },
  };
}

type StockLeader = Awaited<ReturnType<typeof stockLeader>>;

async function fill(leader: StockLeader, keys: number): Promise<void> {
  const client = leader.client();
  await client.mset(...Array.from({ length: keys }, (_, i) => [`key:${i}`, `value ${i}`]).flat());
}

async function counted(client: RedisServer["client"], field: string): Promise<number> {
  return Number(new RegExp(`^${field}:(\\d+)`, "m").exec(await client.info())?.[1]);
}

/** An add-on that follows, in sync and guarded. */
async function guarded(home: TestHome, port: number, password = PASSWORD): Promise<AddonRecord> {
  await make(home, COPY, { plan: ROOMY });
  const { record } = await follows(home, {
    name: COPY,
    leader: { kind: "external", host: "127.0.0.1", port, password },
  });
  await untilArmed(home);
  return record;
}

function untilArmed(home: TestHome): Promise<true> {
  return eventually("its link is armed", async () => (await isArmed(home)) || undefined);
}

async function isArmed(home: TestHome): Promise<boolean> {
  const server = await administrator(home);
  try {
    return String(await server.config("GET", "masteruser")).includes("armed");
  } finally {
    server.disconnect();
  }
}

/** The follower's server, as its administrator. */
async function administrator(home: TestHome) {
  const record = await home.platform.load(COPY);
  if (record === undefined) throw new Error("no add-on");
  const { Redis } = await import("ioredis");
  const { port } = record.server.wish;
  return new Redis({
    host: "127.0.0.1",
    port,
    username: "redis-addon-admin",
    password: record.credentials.adminPassword,
  });
}

function keysOf(record: AddonRecord): Promise<unknown> {
  return run(record, "DBSIZE");
}

async function syncOf(home: TestHome) {
  const status = await inspect(home.platform, COPY, home.task);
  if (status?.replication.role !== "follower") throw new Error("it does not follow");
  return status.replication.sync;
}

function untilSynced(home: TestHome): Promise<unknown> {
  return eventually("it is in sync", async () => {
    const sync = await syncOf(home);
    // While it writes its first AOF, Redis refuses to be stopped.
    return sync.state === "synced" && sync.durable;
  });
}

function untilMistrusted(home: TestHome, words: RegExp): Promise<unknown> {
  return eventually("its status says why it doesn't follow", async () => {
    const sync = await syncOf(home);
    return sync.state === "broken" && words.test(sync.why);
  });
}

/** Where the leader's log has nothing of it: the follower never got as far as asking for its data. */
async function snapshotsGiven(leader: StockLeader): Promise<number> {
  return counted(leader.client(), "sync_full");
}

test("a leader that comes back empty erases nothing, and is followed again once it has its data", async () => {
  await using leader = await stockLeader();
  await using home = await makeTestHome();
  await fill(leader, 1_204);
  const record = await guarded(home, leader.port);

  await leader.wipe();
  await leader.start();
  const said =
    /^the leader 127\.0\.0\.1:\d+ came back with 0 keys, this add-on holds 1,204 keys: it keeps them and follows nobody until somebody says: redis-addon follower resync copy; or promote it$/;
  await untilMistrusted(home, said);
  expect(await keysOf(record)).toBe(1_204);

  await fill(leader, 100);
  await untilMistrusted(home, /came back with 100 keys/);
  expect(await keysOf(record)).toBe(1_204);
  expect(await snapshotsGiven(leader)).toBe(0);

  await fill(leader, 1_300);
  await untilSynced(home);
  expect(await keysOf(record)).toBe(1_300);
  await untilArmed(home);
});

test("a leader that was filled again with a few keys before anybody looked is not copied", async () => {
  await using leader = await stockLeader();
  await using home = await makeTestHome();
  await fill(leader, 500);
  const record = await guarded(home, leader.port);
  await leader.wipe();
  await leader.start();
  await leader.client().set("key:0", "another");
  await untilMistrusted(home, /came back with 1 key, this add-on holds 500 keys/);
  expect(await run(record, "GET", "key:0")).toBe("value 0");
});

test("a leader that was killed comes back with its data and is followed again by itself", async () => {
  await using leader = await stockLeader();
  await using home = await makeTestHome();
  await fill(leader, 300);
  const record = await guarded(home, leader.port);
  await leader.kill();
  await leader.start();
  await untilSynced(home);
  await leader.client().set("after", "1");
  await eventually("what is written then arrives", async () => (await run(record, "GET", "after")) === "1");
  expect(await keysOf(record)).toBe(301);
  await untilSynced(home);
});

test("a link that was cut comes back without another snapshot", async () => {
  await using leader = await stockLeader();
  await using proxy = await startFaultProxy(leader.port);
  await using home = await makeTestHome();
  await fill(leader, 300);
  const record = await guarded(home, proxy.port);
  const before = await snapshotsGiven(leader);
  proxy.set({ refuse: true });
  proxy.resetAll();
  await leader.client().set("meanwhile", "1");
  await eventually("the link is seen to be down", async () => (await syncOf(home)).state === "connecting");
  proxy.set({});
  await eventually("the link is back", async () => (await run(record, "GET", "meanwhile")) === "1");
  await untilArmed(home);
  expect(await snapshotsGiven(leader)).toBe(before);
});

test("a leader that is wiped while no agent runs, and a follower that is restarted then, lose nothing", async () => {
  await using leader = await stockLeader();
  await using home = await makeTestHome();
  await fill(leader, 400);
  const record = await guarded(home, leader.port);
  process.kill(await home.agentPid(), "SIGKILL");
  await leader.wipe();
  await leader.start();
  await startAgent(home.path, home.task);
  await untilMistrusted(home, /came back with 0 keys, this add-on holds 400 keys/);
  await crash(home, COPY);
  await untilMistrusted(home, /came back with 0 keys, this add-on holds 400 keys/);
  await stopAgent(home.path, false, home.task);
  await startAgent(home.path, home.task);
  await eventually("its server runs again", async () => {
    const status = await inspect(home.platform, COPY, home.task);
    return status?.server.state === "running";
  });
  await untilMistrusted(home, /came back with 0 keys, this add-on holds 400 keys/);
  expect(await keysOf(record)).toBe(400);
  expect(await snapshotsGiven(leader)).toBe(0);
});

test("a note that was damaged guards as well as a whole one", async () => {
  await using leader = await stockLeader();
  await using home = await makeTestHome();
  await fill(leader, 400);
  const record = await guarded(home, leader.port);
  await stopAgent(home.path, false, home.task);
  await writeFile(join(home.path, "addons", COPY, "armed-link.json"), "{");
  await leader.wipe();
  await leader.start();
  await startAgent(home.path, home.task);
  await untilMistrusted(home, /came back with 0 keys, this add-on holds 400 keys/);
  expect(await keysOf(record)).toBe(400);
});

test("a new password of the leader's arrives while the link is up, and serves for the next", async () => {
  await using leader = await stockLeader();
  await using proxy = await startFaultProxy(leader.port);
  await using home = await makeTestHome();
  await fill(leader, 300);
  const record = await guarded(home, proxy.port);
  const client = leader.client();
  const snapshots = await snapshotsGiven(leader);
  await client.config("SET", "requirepass", "rotated-s3cret");
  await follows(home, {
    name: COPY,
    leader: { kind: "external", host: "127.0.0.1", port: proxy.port, password: "rotated-s3cret" },
  });
  expect(await isArmed(home)).toBe(true);
  expect(await counted(client, "connected_slaves")).toBe(1);
  expect(await counted(client, "sync_partial_ok")).toBe(0);
  proxy.resetAll();
  await client.set("after", "1");
  await eventually("the link is back", async () => (await run(record, "GET", "after")) === "1");
  expect(await counted(client, "sync_full")).toBe(snapshots);
});

test("an older state of the leader, which lost its tail alone, is copied as before", async () => {
  await using leader = await stockLeader();
  await using home = await makeTestHome();
  await fill(leader, 300);
  const record = await guarded(home, leader.port);
  await leader.wipe();
  await leader.start();
  await fill(leader, 200);
  await untilSynced(home);
  expect(await keysOf(record)).toBe(200);
});

test("a leader that came back empty is copied as it is once somebody says so", async () => {
  await using leader = await stockLeader();
  await using home = await makeTestHome();
  await fill(leader, 300);
  const record = await guarded(home, leader.port);
  await leader.wipe();
  await leader.start();
  await leader.client().set("anew", "1");
  await untilMistrusted(home, /came back with 1 key, this add-on holds 300 keys/);
  expect(await home.platform.trustData(COPY, home.task)).toMatchObject({ outcome: "trusted" });
  await eventually("it has what its leader has", async () => (await keysOf(record).catch(() => 0)) === 1);
  await untilSynced(home);
  await untilArmed(home);
});

test("promoted instead, it writes, and its next leader is copied as if it had never followed", async () => {
  await using leader = await stockLeader();
  await using home = await makeTestHome();
  await fill(leader, 300);
  const record = await guarded(home, leader.port);
  await leader.wipe();
  await leader.start();
  await untilMistrusted(home, /came back with 0 keys/);
  const address = { kind: "external", host: "127.0.0.1", port: leader.port, password: PASSWORD } as const;
  await follows(home, { name: COPY, leader: address, position: "promoted" });
  expect(await run(record, "SET", "mine", "1")).toBe("OK");
  expect(await keysOf(record)).toBe(301);
  await expect(readFile(join(home.path, "addons", COPY, "armed-link.json"))).rejects.toThrow("ENOENT");
});

test("a leader without a password is guarded against all the same", async () => {
  await using leader = await stockLeader(["--protected-mode", "no"]);
  await using home = await makeTestHome();
  await fill(leader, 50);
  const record = await guarded(home, leader.port, "");
  await leader.wipe();
  await leader.start();
  await untilMistrusted(home, /came back with 0 keys, this add-on holds 50 keys/);
  expect(await keysOf(record)).toBe(50);
});

test("a leader that doesn't show its INFO is followed as Redis does", async () => {
  await using leader = await stockLeader();
  await using home = await makeTestHome();
  await fill(leader, 50);
  const rules = ["on", ">taker", "-@all", "+psync", "+sync", "+replconf", "+ping"];
  await leader.client().call("ACL", "SETUSER", "taker", ...rules);
  await make(home, COPY, { plan: ROOMY });
  const address = { host: "127.0.0.1", port: leader.port, username: "taker", password: "taker" };
  const { record } = await follows(home, { name: COPY, leader: { kind: "external", ...address } });
  expect(await keysOf(record)).toBe(50);
  await leader.client().set("after", "1");
  await eventually("what is written arrives", async () => (await run(record, "GET", "after")) === "1");
  expect(await isArmed(home)).toBe(false);
});

test("a leader that stops to show its INFO is waited for, as nobody can tell what it holds", async () => {
  await using leader = await stockLeader();
  await using home = await makeTestHome();
  await fill(leader, 50);
  const client = leader.client();
  const rules = ["on", ">taker", "-@all", "+psync", "+sync", "+replconf", "+ping", "+info"];
  await client.call("ACL", "SETUSER", "taker", ...rules);
  await make(home, COPY, { plan: ROOMY });
  const address = { host: "127.0.0.1", port: leader.port, username: "taker", password: "taker" };
  const { record } = await follows(home, { name: COPY, leader: { kind: "external", ...address } });
  await untilArmed(home);
  await client.call("ACL", "SETUSER", "taker", "-info");
  await client.call("CLIENT", "KILL", "TYPE", "replica");
  await untilMistrusted(home, /doesn't show its INFO any more.*this add-on holds 50 keys/);
  await client.call("ACL", "SETUSER", "taker", "+info");
  await client.set("after", "1");
  await eventually("the link is back", async () => (await run(record, "GET", "after")) === "1");
});

test("no log and no note holds the leader's password", async () => {
  await using leader = await stockLeader();
  await using home = await makeTestHome();
  await fill(leader, 50);
  await guarded(home, leader.port);
  await leader.wipe();
  await leader.start();
  await untilMistrusted(home, /came back with 0 keys/);
  const note = await readFile(join(home.path, "addons", COPY, "armed-link.json"), "utf8");
  expect((await agentLog(home)) + note).not.toContain(PASSWORD);
});
