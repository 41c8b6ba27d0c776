import { randomBytes } from "node:crypto";
import { mkdirSync } from "node:fs";
import { cp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { desiredServer } from "../../provider/core/render";
import { converge } from "../../provider/redis/converge";
import type { RedisClient } from "../../provider/redis/client";
import { stopFollowing } from "../../provider/redis/promote";
import { promote } from "../support/promote";
import { inSmallDisk, seenBy, smallDisk } from "../support/full-disk";
import { leaderFromTheFuture } from "../support/leader-from-the-future";
import { digestOf, follow, startAddonOn, synced } from "../support/linked";
import { eventually, testTask, type LocalAddon } from "../support/local-addon";
import { serverOf } from "../support/matrix";
import { freePort, startRedisServer, type RedisServer } from "../support/redis-server";
import { addressOf, DEBUG_LINES, debugOf, startStockLeader } from "../support/stock-leader";
import { describeWith } from "../support/tools";
import { hurried, temporaryFolder } from "./backup-support";

const everyday = serverOf("Redis 7.0");
const DEADLINE = { deadlineMs: 30_000 };

async function killAndStart(addon: LocalAddon): Promise<void> {
  await addon.server.kill("SIGKILL");
  await addon.restart(addon.record, undefined);
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

test("a load that fails just after it was looked at costs no data either: the server isn't made a leader", async () => {
  await using leader = await leaderFromTheFuture();
  await using addon = await startAddonOn(everyday);
  await (await addon.user()).command("SET", "old", "1");
  const [client, other] = [await addon.admin(), await addon.admin()];
  const address = { host: "127.0.0.1", port: leader.port, password: "" };
  await follow(addon, { ...address, port: await freePort() });
  let isFirst = true;
  const late: RedisClient = {
    ...client,
    command: async (name, ...args) => {
      if (name === "REPLICAOF" && isFirst) {
        isFirst = false;
        await other.command("REPLICAOF", address.host, address.port);
        await eventually(
          async () => (await other.info()).get("aof_enabled"),
          (enabled) => enabled === "0",
        );
      }
      return client.command(name, ...args);
    },
  };
  await expect(stopFollowing(late, testTask())).rejects.toMatchObject({
    code: expect.stringMatching(/^(load-failed|loading)$/) as unknown,
  });
  expect((await client.info()).get("role")).toBe("slave");
  await killAndStart(addon);
  expect(await (await addon.user()).command("GET", "old")).toBe("1");
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
    // Nor is the next call content with a leader.
    const asLeader = desiredServer(addon.record, undefined);
    await expect(converge(admin, asLeader, { ...testTask(), clock: hurried() })).rejects.toMatchObject({
      code: "not-durable",
      operation: "promote",
    });
    await crowd.freeDisk();
    await converge(admin, asLeader, testTask());
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
