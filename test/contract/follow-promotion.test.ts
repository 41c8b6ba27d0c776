import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { cp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { promote, stopFollowing } from "../../provider/redis/promote";
import { temporaryFolder } from "./backup-support";
import { spellingOf, supported } from "./agent-support";
import { startFaultProxy } from "../support/fault-proxy";
import { inSmallDisk, seenBy, smallDisk } from "../support/full-disk";
import { keepLedgers } from "../support/ledger";
import { digestOf, follow, synced } from "../support/linked";
import {
  eventually,
  startAddon,
  testRecord,
  testTask,
  type LocalAddon,
  type LocalAddonOptions,
} from "../support/local-addon";
import { serverOf } from "../support/matrix";
import { digestAt, LEDGERS, lengthsAt } from "../support/prove-exactness";
import { startRedisServer, until, type RedisServer } from "../support/redis-server";
import { addressOf, DEBUG_LINES, debugOf, ROOMY, startStockLeader } from "../support/stock-leader";
import { followAsReplica, type StreamingReplica } from "../support/streaming-replica";
import { describeWith, type Tool } from "../support/tools";

const everyday = serverOf("Redis 7.0");
const DEADLINE = { deadlineMs: 30_000 };
/** Before the promotion, and after it. */
const WRITES = 20_000;

function startAddonOn(server: Tool, options: LocalAddonOptions = {}): Promise<LocalAddon> {
  const record = testRecord({ version: spellingOf(server), plan: ROOMY });
  return startAddon(record, undefined, { executable: server.path, lines: DEBUG_LINES, ...options });
}

/** A leader with data, whose every later byte a replica of this test keeps. */
async function observed(server: Tool) {
  await using stack = new AsyncDisposableStack();
  const limits = ["--client-output-buffer-limit", "replica", "0", "0", "0"];
  const source = stack.use(await startStockLeader(server, { args: ["--save", "", ...limits] }));
  await source.client.call("DEBUG", "POPULATE", 30_000, "key", 200);
  await source.client.set("expiring", "x", "EX", 36_000);
  const replica = stack.use(await followAsReplica(source.port));
  const moved = stack.move();
  return { source, replica, [Symbol.asyncDispose]: () => moved.disposeAsync() };
}

/** That an add-on, started again after a kill -9, holds what its leader held at that offset, and no more. */
async function expectExactly(
  addon: LocalAddon,
  { finalOffset, replica, server }: { finalOffset: number; replica: StreamingReplica; server: Tool },
): Promise<void> {
  await until("the history up to there", () => replica.end() > finalOffset);
  const user = await addon.user();
  for (const [ledger, length] of lengthsAt(replica, finalOffset)) {
    const entries = (await user.command("LRANGE", ledger, 0, -1)) as string[];
    expect(entries.length).toBe(length);
    expect(entries.every((entry, i) => entry === String(i + 1))).toBe(true);
  }
  const truth = await digestAt(replica, finalOffset, { executable: server.path, args: debugOf(server.name) });
  expect(await digestOf(addon)).toBe(truth);
}

async function killAndStart(addon: LocalAddon): Promise<void> {
  await addon.server.kill("SIGKILL");
  await addon.restart(addon.record, undefined);
}

async function offsets(addon: LocalAddon): Promise<{ received: number; applied: number }> {
  const info = await (await addon.admin()).info();
  return {
    received: Number(info.get("slave_read_repl_offset")),
    applied: Number(info.get("slave_repl_offset")),
  };
}

for (const server of supported)
  describeWith([server], `${server.name}, promoted`, () => {
    test("while its leader takes 20,000 writes a second, keeps exactly what it had received through a kill -9 right after", async () => {
      await using leader = await observed(server);
      const { source, replica } = leader;
      await using addon = await startAddonOn(server);
      await using ledgers = keepLedgers(source.port, LEDGERS);
      await follow(addon, addressOf(source));
      await synced(addon, addressOf(source));
      const before = await source.client.info("stats");
      await until("a ledger of some length", () => ledgers.written() > WRITES);
      const admin = await addon.admin();
      const runId = (await admin.info()).get("run_id");

      const { finalOffset } = await promote(admin, testTask(), DEADLINE);
      expect((await admin.info()).get("run_id")).toBe(runId);
      await addon.server.kill("SIGKILL");
      const enough = ledgers.written() + WRITES;
      await until("the ledger to go on after it", () => ledgers.written() > enough);
      expect(await ledgers.stop()).toBeGreaterThan(20_000);
      await addon.restart(addon.record, undefined);
      await expectExactly(addon, { finalOffset, replica, server });
      // Nothing was asked of the old leader.
      const fullSyncs = /sync_full:\d+/;
      expect(fullSyncs.exec(await source.client.info("stats"))?.[0]).toBe(fullSyncs.exec(before)?.[0]);
      expect(await source.client.info("replication")).toContain("role:master");
    });
  });

describeWith([everyday], "a promotion", () => {
  test("of a follower whose link was cut while much was on its way, and whose leader died, keeps exactly what had come", async () => {
    await using leader = await observed(everyday);
    const { source, replica } = leader;
    await using proxy = await startFaultProxy(source.port);
    await using addon = await startAddonOn(everyday);
    await using ledgers = keepLedgers(source.port, LEDGERS);
    await follow(addon, addressOf(proxy));
    await synced(addon, addressOf(proxy));
    await until("a ledger of some length", () => ledgers.written() > WRITES);
    proxy.set({ refuse: true });
    proxy.resetAll();
    const enough = ledgers.written() + WRITES;
    await until("the ledger to go on after it", () => ledgers.written() > enough);
    await ledgers.stop();
    const { received, applied } = await offsets(addon);
    expect(applied).toBe(received);
    await until("the history up to there", () => replica.end() > applied);
    await source.stop("SIGKILL");

    const { finalOffset } = await promote(await addon.admin(), testTask(), DEADLINE);
    expect(finalOffset).toBe(applied);
    await killAndStart(addon);
    await expectExactly(addon, { finalOffset, replica, server: everyday });
  });

  test.each(["cut", "stalled"] as const)(
    "of a follower whose link is %s in the middle of a command leaves that command out, and keeps all before it",
    async (how) => {
      await using leader = await observed(everyday);
      const { source, replica } = leader;
      await using proxy = await startFaultProxy(source.port);
      await using addon = await startAddonOn(everyday);
      await follow(addon, addressOf(proxy));
      await synced(addon, addressOf(proxy));
      for (let i = 1; i <= 1_000; i++) for (const ledger of LEDGERS) void source.client.rpush(ledger, i);
      await source.client.rpush("ledger:c", 1);
      await until("all of it to have come", async () => (await offsets(addon)).applied >= replica.end());
      proxy.set({ fromServer: { delayMs: 5 } });
      await source.client.multi().set("half", "x").set("big", randomBytes(16_000_000)).exec();
      const { applied } = await eventually(
        () => offsets(addon),
        (seen) => seen.received - seen.applied > 500_000,
      );
      proxy.set(how === "stalled" ? { fromServer: { stall: true } } : { refuse: true });
      if (how === "cut") proxy.resetAll();
      // So that the proof is one of a server that went on.
      for (const ledger of LEDGERS) await source.client.rpush(ledger, 1_001);

      const { finalOffset } = await promote(await addon.admin(), testTask(), DEADLINE);
      expect(finalOffset).toBe(applied);
      await killAndStart(addon);
      await expectExactly(addon, { finalOffset, replica, server: everyday });
      expect(await (await addon.user()).command("EXISTS", "half", "big")).toBe(0);
    },
  );

  test("of a follower whose users hold its leader's commands up applies them all first", async () => {
    await using source = await startStockLeader(everyday);
    const record = testRecord({ access: "advanced", plan: ROOMY });
    await using addon = await startAddon(record, undefined, { lines: DEBUG_LINES });
    await follow(addon, addressOf(source));
    await synced(addon, addressOf(source));
    await (await addon.user()).command("CLIENT", "PAUSE", 60_000, "WRITE");
    for (let i = 0; i < 100; i++) await source.client.set(`key:${i}`, i);
    await eventually(
      () => offsets(addon),
      ({ received, applied }) => received > applied + 1_000,
    );
    const { finalOffset } = await promote(await addon.admin(), testTask(), DEADLINE);
    expect(await (await addon.user()).command("DBSIZE")).toBe(100);
    expect(finalOffset).toBeGreaterThanOrEqual(Number(await offsetOf(source)) - 100);
  });

  test("lets nobody write before it, keeps every connection, and every write after it", async () => {
    await using source = await startStockLeader(everyday);
    await using addon = await startAddonOn(everyday);
    await follow(addon, addressOf(source));
    await synced(addon, addressOf(source));
    const user = await addon.user();
    const written: number[] = [];
    let refused = 0;
    let running = true;
    const writing = (async () => {
      for (let i = 0; running; i++)
        await user.command("SET", `mine:${i}`, i).then(
          () => written.push(i),
          () => refused++,
        );
    })();
    await until("some refusals", () => refused > 100);
    expect(written).toEqual([]);
    await promote(await addon.admin(), testTask(), DEADLINE);
    const enough = written.length + 100;
    await until("some writes", () => written.length > enough);
    running = false;
    await writing;
    await killAndStart(addon);
    const after = await addon.user();
    expect(await after.command("EXISTS", ...written.map((i) => `mine:${i}`))).toBe(written.length);
    expect(await after.command("DBSIZE")).toBe(written.length);
    expect(await source.client.dbsize(), "nothing reached the old leader").toBe(0);
  });
});

async function offsetOf(source: RedisServer): Promise<string | undefined> {
  return /master_repl_offset:(\d+)/.exec(await source.client.info("replication"))?.[1];
}

describeWith([everyday], "a follower in the middle of a sync", () => {
  /** With one old key, receiving 300 new ones, of which each takes the leader some time. */
  async function receiving() {
    await using stack = new AsyncDisposableStack();
    const source = stack.use(await startStockLeader(everyday));
    for (let i = 0; i < 300; i++) await source.client.set(`key:${i}`, "x".repeat(1_000));
    await source.client.config("SET", "rdb-key-save-delay", "20000");
    const addon = stack.use(await startAddonOn(everyday));
    await (await addon.user()).command("SET", "old", "1");
    await follow(addon, addressOf(source));
    const admin = await addon.admin();
    await eventually(
      async () => (await admin.info()).get("master_sync_in_progress"),
      (flag) => flag === "1",
    );
    const moved = stack.move();
    return { source, addon, admin, [Symbol.asyncDispose]: () => moved.disposeAsync() };
  }

  test("isn't promoted: it would be a leader without its leader's data", async () => {
    await using sync = await receiving();
    const { source, addon, admin } = sync;
    const refusal = promote(admin, testTask(), DEADLINE);
    await expect(refusal).rejects.toMatchObject({ code: "syncing", operation: "promote", transient: true });
    expect((await admin.info()).get("role")).toBe("slave");
    await source.client.config("SET", "rdb-key-save-delay", "0");
    await synced(addon, addressOf(source));
    await promote(admin, testTask(), DEADLINE);
    await killAndStart(addon);
    expect(await (await addon.user()).command("DBSIZE")).toBe(300);
  });

  test("keeps the whole of its data from before where it is to follow no longer", async () => {
    await using sync = await receiving();
    const { addon, admin } = sync;
    await stopFollowing(admin, testTask());
    await killAndStart(addon);
    const user = await addon.user();
    expect(await user.command("DBSIZE")).toBe(1);
    expect(await user.command("GET", "old")).toBe("1");
  });

  test("isn't promoted while it loads, when a part of the data is there", async () => {
    await using source = await startStockLeader(everyday);
    for (let i = 0; i < 2_000; i++) void source.client.set(`key:${i}`, "x".repeat(1_000));
    await source.client.set("last", "1");
    await using addon = await startAddonOn(everyday, {
      // Microseconds for each key; in between it answers.
      lines: [...DEBUG_LINES, "key-load-delay 1000", "loading-process-events-interval-bytes 1024"],
    });
    const admin = await addon.admin();
    await follow(addon, addressOf(source));
    await eventually(
      async () => (await admin.info()).get("loading"),
      (flag) => flag === "1",
    );
    const refusal = { code: "loading", operation: "promote", transient: true };
    await expect(promote(admin, testTask(), DEADLINE)).rejects.toMatchObject(refusal);
    await expect(stopFollowing(admin, testTask())).rejects.toMatchObject(refusal);
    await synced(addon, addressOf(source));
    await promote(admin, testTask(), DEADLINE);
    expect(await (await addon.user()).command("DBSIZE")).toBe(2_001);
  });
});

describeWith([smallDisk, everyday], "a follower whose disk is full", () => {
  const SIZE_MIB = 48;

  interface Crowded extends AsyncDisposable {
    readonly source: RedisServer;
    readonly addon: LocalAddon;
    /** As seen from outside. */
    readonly folder: () => Promise<string>;
    fillDisk(): Promise<void>;
    freeDisk(): Promise<void>;
  }

  async function crowded(): Promise<Crowded> {
    await using stack = new AsyncDisposableStack();
    const source = stack.use(await startStockLeader(everyday));
    const prefix = (dir: string) => {
      mkdirSync(join(dir, "small"), { recursive: true });
      return inSmallDisk({ folder: join(dir, "small"), sizeMiB: SIZE_MIB });
    };
    const addon = stack.use(await startAddonOn(everyday, { prefix, lines: [...DEBUG_LINES, "dir small"] }));
    const admin = await addon.admin();
    const folder = async () => {
      const pid = Number((await admin.info()).get("process_id"));
      return seenBy(pid, join(addon.server.dir, "small"));
    };
    const moved = stack.move();
    return {
      source,
      addon,
      folder,
      fillDisk: async () => {
        const file = join(await folder(), "filler");
        await writeFile(file, Buffer.alloc(SIZE_MIB * 1024 ** 2)).catch(() => undefined);
      },
      freeDisk: async () => rm(join(await folder(), "filler")),
      [Symbol.asyncDispose]: () => moved.disposeAsync(),
    };
  }

  /** That its files, where they lie now, are all that the leader had. */
  async function expectFilesHold({ addon, source, folder }: Crowded): Promise<void> {
    await using copy = await temporaryFolder();
    await cp(join(await folder(), "appendonlydir"), join(copy.path, "appendonlydir"), { recursive: true });
    const args = [...debugOf(everyday.name), "--appendonly", "yes"];
    await using server = await startRedisServer({ executable: everyday.path, dir: copy.path, args });
    const found = String(await server.client.call("DEBUG", "DIGEST"));
    expect(found).toBe(String(await source.client.call("DEBUG", "DIGEST")));
    expect(found).toBe(await digestOf(addon));
  }

  test("isn't promoted durably before what it received last is written there", async () => {
    await using crowd = await crowded();
    const { source, addon } = crowd;
    await follow(addon, addressOf(source));
    await synced(addon, addressOf(source));
    await crowd.fillDisk();
    await source.client.set("last", randomBytes(1_000_000));
    const admin = await addon.admin();
    await eventually(
      async () => (await admin.info()).get("aof_last_write_status"),
      (status) => status === "err",
    );
    await expect(promote(admin, testTask(), { deadlineMs: 2_000 })).rejects.toMatchObject({
      code: "not-durable",
      cause: "its data can't be written to disk",
      transient: true,
    });
    expect((await admin.info()).get("role")).toBe("master");
    await crowd.freeDisk();
    await promote(admin, testTask(), DEADLINE);
    await expectFilesHold(crowd);
  });

  test("isn't promoted durably before its first AOF is there, which is written as soon as there is space", async () => {
    await using crowd = await crowded();
    const { source, addon } = crowd;
    for (let i = 0; i < 16; i++) await source.client.set(`key:${i}`, randomBytes(1_000_000));
    const admin = await addon.admin();
    await admin.command("CONFIG", "SET", "rdb-key-save-delay", 400_000);
    await follow(addon, addressOf(source));
    await eventually(
      async () => (await admin.info()).get("aof_rewrite_in_progress"),
      (flag) => flag === "1",
    );
    await crowd.fillDisk();
    await expect(promote(admin, testTask(), { deadlineMs: 4_000 })).rejects.toMatchObject({
      code: "not-durable",
      cause: "its data can't be written to disk",
    });
    await admin.command("CONFIG", "SET", "rdb-key-save-delay", 0);
    await crowd.freeDisk();
    await promote(admin, testTask(), DEADLINE);
    await expectFilesHold(crowd);
  });

  test("is promoted durably when its last AOF could not be written anew, once there is space again", async () => {
    await using crowd = await crowded();
    const { source, addon } = crowd;
    await source.client.set("big", randomBytes(4_000_000));
    await follow(addon, addressOf(source));
    await synced(addon, addressOf(source));
    await crowd.fillDisk();
    const admin = await addon.admin();
    await expect(admin.command("BGREWRITEAOF")).rejects.toMatchObject({ code: "redis-error" });
    await eventually(
      async () => (await admin.info()).get("aof_last_bgrewrite_status"),
      (status) => status === "err",
    );
    await crowd.freeDisk();
    await promote(admin, testTask(), DEADLINE);
    await expectFilesHold(crowd);
  });
});
