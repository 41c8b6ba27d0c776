import { randomBytes } from "node:crypto";
import { chmod, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { openWhenReady } from "../../provider/backup/open-when-ready";
import { Secret } from "../../provider/core/secret";
import { openSnapshot } from "../../provider/redis/replication/snapshot";
import { inSmallDisk, seenBy, smallDisk } from "../support/full-disk";
import { serverOf } from "../support/matrix";
import { findRedisServer, type RedisServer, startRedisServer } from "../support/redis-server";
import { describeWith } from "../support/tools";
import { task, temporaryFolder } from "./backup-support";
import { whole } from "../support/whole";

const address = ({ host, port }: RedisServer) => ({ host, port });
const AT_ONCE = ["--repl-diskless-sync-delay", "0"];
const TO_DISK = ["--repl-diskless-sync", "no", "--save", "3600 1"];

/** How often the server has written a snapshot to its disk since it started. */
async function written({ client }: RedisServer): Promise<number> {
  const info = await client.info("persistence");
  return Number(/^rdb_saves:(\d+)/m.exec(info)?.[1] ?? NaN);
}

const refused = {
  code: "leader-would-use-disk",
  transient: false,
  hint: expect.stringMatching(/CONFIG SET repl-diskless-sync yes.*--accept-disk.*source\.acceptDisk/),
};

test("a leader that would write the snapshot to its own disk is left alone, unless somebody accepts it", async () => {
  await using server = await startRedisServer({ args: TO_DISK });
  await server.client.set("a", 1);
  await expect(openSnapshot(address(server), task())).rejects.toMatchObject({
    ...refused,
    cause: expect.stringContaining("repl-diskless-sync no"),
  });
  expect(await written(server)).toBe(0);
  const snapshot = await openSnapshot(address(server), task(), { acceptDisk: true });
  expect((await whole(snapshot.content)).length).toBe(snapshot.sizeBytes);
});

test("what its hint says helps: set to do so, the leader sends it from memory", async () => {
  await using server = await startRedisServer({ args: [...TO_DISK, ...AT_ONCE] });
  await server.client.config("SET", "repl-diskless-sync", "yes");
  const snapshot = await openSnapshot(address(server), task());
  expect(snapshot.sizeBytes).toBeUndefined();
  await whole(snapshot.content);
  expect(await written(server)).toBe(0);
});

test("without save points a full disk stops no write: such a leader may use it", async () => {
  await using server = await startRedisServer({ args: ["--repl-diskless-sync", "no", "--save", ""] });
  const snapshot = await openSnapshot(address(server), task());
  expect((await whole(snapshot.content)).length).toBe(snapshot.sizeBytes);
});

const TAKER = { username: "taker", password: new Secret("s3cret") };

/** A user who may take a snapshot and `more`. */
async function allow({ client }: RedisServer, ...more: string[]): Promise<void> {
  await client.call("ACL", "SETUSER", "taker", "reset", "on", ">s3cret", "+psync", "+replconf", ...more);
}

test("a user who may not ask for settings is served by what the version says, or who may not even ask that", async () => {
  await using server = await startRedisServer({ args: AT_ONCE });
  for (const more of [["+info"], []]) {
    await allow(server, ...more);
    const snapshot = await openSnapshot({ ...address(server), ...TAKER }, task());
    expect(snapshot.info === undefined).toBe(more.length === 0);
    await whole(snapshot.content);
  }
  expect(await written(server)).toBe(0);
});

describeWith([serverOf("Redis 6.2")], "Redis 6.2", () => {
  const executable = serverOf("Redis 6.2").path;

  test("writes to its disk as it comes: it is left alone, also where its user may not ask", async () => {
    await using server = await startRedisServer({ executable });
    await server.client.set("a", 1);
    await expect(openSnapshot(address(server), task())).rejects.toMatchObject(refused);
    for (const more of [["+info"], []]) {
      await allow(server, ...more);
      await expect(openSnapshot({ ...address(server), ...TAKER }, task())).rejects.toMatchObject(refused);
    }
    expect(await server.client.info("replication")).toContain("master_repl_offset:0");
  });

  test("set to send it from memory does so, and counts no replica meanwhile", async () => {
    await using server = await startRedisServer({
      executable,
      args: ["--repl-diskless-sync", "yes", ...AT_ONCE],
    });
    // More than fits between it and us: while we don't read it is at it.
    for (let key = 0; key < 30; key++) await server.client.set(`random:${key}`, randomBytes(1_000_000));
    const snapshot = await openSnapshot(address(server), task());
    expect(snapshot.sizeBytes).toBeUndefined();
    await server.client.set("written", "x");
    expect(await server.client.wait(1, 10)).toBe(0);
    await server.client.config("SET", "min-replicas-to-write", "1");
    await expect(server.client.set("refused", "x")).rejects.toThrow("NOREPLICAS");
    expect((await whole(snapshot.content)).toString("latin1", 0, 9)).toBe("REDIS0009");
  });
});

test("a snapshot that would not fit here is refused before the leader starts it", async () => {
  await using server = await startRedisServer({ args: AT_ONCE });
  for (let key = 0; key < 40; key++) await server.client.set(`random:${key}`, randomBytes(100_000));
  const room = { scratchFreeBytes: 1_000_000, scratchFolder: "/small" };
  await expect(openSnapshot(address(server), task(), room)).rejects.toMatchObject({
    code: "scratch-full",
    cause: expect.stringMatching(/wait in \/small, needs about \d MB there/),
  });
  expect(await server.client.info("replication")).toContain("master_repl_offset:0");
});

describeWith([smallDisk], "a leader whose disk is too small for its data", () => {
  /** With 30 MB of data on a disk of 24 MiB. */
  async function crowded(args: readonly string[]) {
    const folder = await temporaryFolder();
    const wrapper = join(folder.path, "server");
    const disk = join(folder.path, "disk");
    const prefix = inSmallDisk({ folder: folder.path, sizeMiB: 24 }).map((part) => `'${part}'`);
    await writeFile(
      wrapper,
      `#!/bin/sh\nexec ${prefix.join(" ")} '${findRedisServer()}' "$@" --dir '${folder.path}'\n`,
    );
    await chmod(wrapper, 0o755);
    const server = await startRedisServer({ executable: wrapper, args: [...args, ...AT_ONCE] });
    for (let key = 0; key < 30; key++) await server.client.set(`random:${key}`, randomBytes(1_000_000));
    return {
      server,
      disk,
      folder: seenBy(server.pid, folder.path),
      [Symbol.asyncDispose]: async () => {
        await server[Symbol.asyncDispose]();
        await folder[Symbol.asyncDispose]();
      },
    };
  }

  test("takes writes during and after a backup: it sends the snapshot from memory", async () => {
    await using leader = await crowded(["--save", "3600 1000000"]);
    const { server } = leader;
    const snapshot = await openWhenReady(address(server), task());
    expect(await server.client.set("during", "x")).toBe("OK");
    expect((await whole(snapshot.content)).length).toBeGreaterThan(30_000_000);
    expect(await server.client.set("after", "x")).toBe("OK");
    expect(await server.client.info("persistence")).toContain("rdb_last_bgsave_status:ok");
  });

  test("is not asked to use it where it is ours either, although its folder can be seen", async () => {
    await using leader = await crowded(["--save", "", "--appendonly", "no"]);
    const source = { ...address(leader.server), dataFolder: leader.folder };
    const snapshot = await openWhenReady(source, task());
    expect(snapshot.sizeBytes).toBeUndefined();
    expect((await whole(snapshot.content)).length).toBeGreaterThan(30_000_000);
    expect(await leader.server.client.info("persistence")).toContain("rdb_last_bgsave_status:ok");
  });
});

test("a leader of ours with room prepares it on its disk, so that its size is known", async () => {
  await using server = await startRedisServer({ args: ["--save", ""] });
  const snapshot = await openWhenReady({ ...address(server), dataFolder: server.dir }, task());
  expect((await whole(snapshot.content)).length).toBe(snapshot.sizeBytes);
});

test("a leader whose folder isn't there sends it from memory: perhaps it runs elsewhere", async () => {
  await using server = await startRedisServer({ args: AT_ONCE });
  const source = { ...address(server), dataFolder: join(server.dir, "not", "here") };
  const snapshot = await openWhenReady(source, task(), join(server.dir, "not", "made", "yet"));
  expect(snapshot.sizeBytes).toBeUndefined();
  await whole(snapshot.content);
});
