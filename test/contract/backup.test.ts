import { createHash, randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parseRdbHead, RDB_HEAD_BYTES } from "../../provider/backup/archive/rdb-head";
import { readCatalog, readManifest } from "../../provider/backup/catalog";
import { type BackupRequest, takeBackup } from "../../provider/backup/take-backup";
import type { Store } from "../../provider/stores/contract";
import { systemClock } from "../../provider/system/clock";
import { type RedisServer, startRedisServer, until } from "../support/redis-server";
import { cuttingProxy, digest, names, task, temporaryStore, unpacked, writeLedger } from "./backup-support";

const never = new AbortController().signal;
const DEBUG = ["--enable-debug-command", "yes"];
const SLOT = Date.parse("2026-05-01T03:00:00Z");

const request = (
  server: { port: number; dir?: string },
  store: Store,
  more: Partial<BackupRequest> = {},
): BackupRequest => ({
  addon: { name: "cache", catalogKey: "cache-12345678" },
  source: { host: "127.0.0.1", port: server.port, dataFolder: server.dir ?? tmpdir() },
  reason: "demand",
  slot: SLOT,
  attempt: randomBytes(4).toString("hex"),
  store,
  ...more,
});

/** Both ways that the archive's README names; AOF or not is left to the folder. */
const WAYS = [
  ["redis-server", {}],
  ["redis-server ./redis.conf", { config: "./redis.conf" }],
] as const;

async function populate(server: RedisServer, keys = 5_000): Promise<void> {
  const { client } = server;
  await client.call("DEBUG", "POPULATE", keys, "string", 1_000);
  await client.rpush("list", ...Array.from({ length: 500 }, (_, entry) => entry));
  await client.hset(
    "hash",
    Object.fromEntries(Array.from({ length: 500 }, (_, field) => [`f${field}`, field])),
  );
  await client.zadd("zset", 1, "a", 2.5, "b");
  await client.xadd("stream", "*", "field", randomBytes(100).toString("base64"));
  await client.set("binary", randomBytes(1_000));
}

describe.each([
  ["from the leader's disk", false],
  ["from the leader's memory", true],
])("a backup %s", (_, diskless) => {
  // The default of 5 s is for replicas that arrive together.
  const args = [...DEBUG, "--repl-diskless-sync-delay", "0"];

  test("opens both ways in a stock redis-server, with exactly the source's data", async () => {
    await using source = await startRedisServer({ args });
    await using opened = await temporaryStore();
    await populate(source);
    const { manifest, takenHere } = await takeBackup(
      request(source, opened.store, {
        source: { host: "127.0.0.1", port: source.port, ...(diskless ? {} : { dataFolder: source.dir }) },
        databases: 16,
      }),
      task(),
    );
    expect(takenHere).toBe(true);
    expect(manifest).toMatchObject({
      slot: "20260501T030000000Z",
      server: { name: expect.stringMatching(/^(redis|valkey)$/) },
      databases: 16,
      keyspace: { keys: 5_005 },
    });
    for (const [, options] of WAYS) {
      await using folder = await unpacked(opened.store, `cache-12345678/${manifest.archive.name}`);
      await using copy = await startRedisServer({ dir: folder.path, args: DEBUG, ...options });
      expect(await copy.client.dbsize()).toBe(5_005);
      expect(await digest(copy.client)).toBe(await digest(source.client));
    }
  });

  test("under load holds what the source had at one instant, without a gap", async () => {
    await using source = await startRedisServer({ args });
    await using opened = await temporaryStore();
    await populate(source, 50_000);
    const ledger = writeLedger(source.client);
    await until("a ledger of some length", () => ledger.written() > 5_000);
    const before = ledger.written();
    const backup = await takeBackup(
      request(source, opened.store, {
        source: { host: "127.0.0.1", port: source.port, ...(diskless ? {} : { dataFolder: source.dir }) },
      }),
      task(),
    );
    const end = await ledger.stop();
    const lists: string[][] = [];
    const digests: string[] = [];
    for (const [, options] of WAYS) {
      await using folder = await unpacked(opened.store, `cache-12345678/${backup.manifest.archive.name}`);
      await using copy = await startRedisServer({ dir: folder.path, args: DEBUG, ...options });
      lists.push(await copy.client.lrange("ledger", 0, -1));
      digests.push(await digest(copy.client));
      // RPUSH comes before its INCR: at an instant the counter equals the length, or is one behind.
      const counter = Number(await copy.client.get("counter"));
      expect([0, 1]).toContain((lists.at(-1)?.length ?? 0) - counter);
    }
    const [plain, configured] = lists;
    expect(plain).toEqual(Array.from({ length: plain?.length ?? 0 }, (_, entry) => String(entry + 1)));
    expect(configured).toEqual(plain);
    expect(digests[0]).toBe(digests[1]);
    expect(plain?.length).toBeGreaterThanOrEqual(before - 400);
    expect(plain?.length).toBeLessThan(end);
  });
});

test("the dump in the archive says itself that it was made at the manifest's offset", async () => {
  await using source = await startRedisServer({ args: DEBUG });
  await using opened = await temporaryStore();
  const offsets: number[] = [];
  const ledger = writeLedger(source.client);
  // A server counts its offset from its first replica on: the second backup has one that moves.
  for (const slot of [SLOT, SLOT + 1]) {
    const length = ledger.written();
    await until("more entries", () => ledger.written() > length + 1_000);
    const { manifest } = await takeBackup(request(source, opened.store, { slot }), task());
    await using folder = await unpacked(opened.store, `cache-12345678/${manifest.archive.name}`);
    const head = parseRdbHead((await readFile(join(folder.path, "dump.rdb"))).subarray(0, RDB_HEAD_BYTES));
    expect(head?.fields.get("repl-id")).toBe(manifest.replication.id);
    expect(head?.fields.get("repl-offset")).toBe(String(manifest.replication.offset));
    offsets.push(manifest.replication.offset);
  }
  await ledger.stop();
  expect(offsets[1]).toBeGreaterThan(offsets[0] ?? 0);
});

test("the manifest's hashes and sizes are those of the archive and of each file in it", async () => {
  await using source = await startRedisServer({ args: DEBUG });
  await using opened = await temporaryStore();
  await populate(source);
  const { manifest } = await takeBackup(request(source, opened.store), task());
  const key = `cache-12345678/${manifest.archive.name}`;
  const sha256 = (bytes: Buffer) => createHash("sha256").update(bytes).digest("hex");
  const archive = await readFile(new URL(`${opened.url}/${key}`));
  expect(manifest.archive).toMatchObject({ sizeBytes: archive.length, sha256: sha256(archive) });
  await using folder = await unpacked(opened.store, key);
  expect(manifest.files.map(({ path }) => path)).toEqual([
    "README.txt",
    "redis.conf",
    "dump.rdb",
    "appendonlydir/appendonly.aof.1.incr.aof",
    "appendonlydir/appendonly.aof.manifest",
  ]);
  for (const { path, sizeBytes, sha256: hash } of manifest.files) {
    const file = await readFile(join(folder.path, path));
    expect([file.length, sha256(file)]).toEqual([sizeBytes, hash]);
  }
  expect(manifest.rdb).toMatchObject({
    magic: expect.stringMatching(/^(REDIS00\d\d|VALKEY\d{3})$/),
    sizeBytes: manifest.files[2]?.sizeBytes,
  });
  expect(manifest.usedMemoryBytes).toBeGreaterThan(5_000_000);
});

test("a source with more databases than a stock server opens with the command that its README gives", async () => {
  await using source = await startRedisServer({ args: [...DEBUG, "--databases", "20"] });
  await using opened = await temporaryStore();
  await source.connect({ db: 19 }).set("far", "away");
  const { manifest } = await takeBackup(request(source, opened.store, { databases: 20 }), task());
  const key = `cache-12345678/${manifest.archive.name}`;
  await using folder = await unpacked(opened.store, key);
  expect(await readFile(join(folder.path, "README.txt"), "utf8")).toContain("-server --databases 20\n");
  for (const options of [{ config: "./redis.conf" }, { args: ["--databases", "20"] }]) {
    await using copied = await unpacked(opened.store, key);
    await using copy = await startRedisServer({ dir: copied.path, ...options });
    expect(await copy.connect({ db: 19 }).get("far")).toBe("away");
  }
});

test("two machines that back up one slot leave one backup, which both report", async () => {
  await using source = await startRedisServer({ args: DEBUG });
  await using opened = await temporaryStore();
  await populate(source, 500);
  const taken = await Promise.all(
    ["aaaa", "bbbb", "cccc"].map((attempt) => takeBackup(request(source, opened.store, { attempt }), task())),
  );
  expect(taken.filter(({ takenHere }) => takenHere)).toHaveLength(1);
  const archives = new Set(taken.map(({ manifest }) => manifest.archive.name));
  expect(archives.size).toBe(1);
  expect(await names(opened.store)).toEqual([
    `cache-12345678/${[...archives][0]}`,
    "cache-12345678/20260501T030000000Z.json",
  ]);
});

describe("a backup that fails leaves nothing", () => {
  test("when the connection is cut in the middle of the snapshot", async () => {
    await using source = await startRedisServer({ args: DEBUG });
    await using opened = await temporaryStore();
    // Random, or the dump would compress them to less than where it is cut.
    for (let key = 0; key < 5; key++) await source.client.set(`random:${key}`, randomBytes(1_000_000));
    await using proxy = await cuttingProxy(source.port, 3_000_000);
    await expect(takeBackup(request(proxy, opened.store), task())).rejects.toMatchObject({
      code: "connection-cut",
      cause: expect.stringMatching(/the connection ended after \d+ of \d+ bytes/),
      transient: true,
    });
    expect(proxy.cuts()).toBe(1);
    expect(await names(opened.store)).toEqual([]);
  });

  test("when it is aborted in the middle of the snapshot, and the leader's connection is closed", async () => {
    await using source = await startRedisServer({ args: DEBUG });
    await using opened = await temporaryStore();
    await populate(source, 100_000);
    const abort = new AbortController();
    const reason = new Error("told to stop");
    const progress = ({ doneBytes = 0 }) => doneBytes > 0 && abort.abort(reason);
    await expect(
      takeBackup(request(source, opened.store), task({ signal: abort.signal, progress })),
    ).rejects.toBe(reason);
    expect(await names(opened.store)).toEqual([]);
    await until(
      "the leader to be rid of us",
      async () => !/flags=S/.test(String(await source.client.client("LIST"))),
    );
  });

  test("when the store has no room for its manifest, and the cause is told", async () => {
    await using source = await startRedisServer({ args: DEBUG });
    await using opened = await temporaryStore();
    const cause = new Error("the disk is full");
    const store: Store = {
      ...opened.store,
      put: (key, stream, options) =>
        key.endsWith(".json") ? Promise.reject(cause) : opened.store.put(key, stream, options),
    };
    await expect(takeBackup(request(source, store), task())).rejects.toBe(cause);
    expect(await names(opened.store)).toEqual([]);
  });

  test("but one whose manifest was written although the answer was lost is kept whole", async () => {
    await using source = await startRedisServer({ args: DEBUG });
    await using opened = await temporaryStore();
    const store: Store = {
      ...opened.store,
      put: async (key, stream, options) => {
        const put = await opened.store.put(key, stream, options);
        if (key.endsWith(".json")) throw new Error("the answer was lost");
        return put;
      },
    };
    await expect(takeBackup(request(source, store), task())).rejects.toThrow("the answer was lost");
    const { backups } = await readCatalog(opened.store, "cache-12345678", never);
    expect(backups).toMatchObject([
      { name: "20260501T030000000Z", archives: [{ sizeBytes: expect.any(Number) }] },
    ]);
    const manifest = await readManifest(opened.store, "cache-12345678", "20260501T030000000Z", never);
    await using folder = await unpacked(opened.store, `cache-12345678/${manifest.archive.name}`);
    expect(folder.path).toBeTruthy();
  });
});

test("a slow store slows the leader's snapshot down instead of filling our memory", async () => {
  await using source = await startRedisServer({ args: DEBUG });
  await using opened = await temporaryStore();
  for (let key = 0; key < 40; key++) await source.client.set(`random:${key}`, randomBytes(2_000_000));
  let instant = 0;
  // Each look at this clock is a second later, so that every chunk is told.
  const slow = task({ clock: { ...systemClock, now: () => (instant += 1_000) } });
  let ahead = 0;
  const store: Store = {
    ...opened.store,
    put: async (key, stream, options) => {
      if (key.endsWith(".json")) return opened.store.put(key, stream, options);
      let taken = 0;
      for await (const chunk of stream as AsyncIterable<Buffer>) {
        taken += chunk.length;
        for (let turn = 0; turn < 3; turn++) await new Promise((go) => setImmediate(go));
        // Random bytes don't shrink: what was received and not yet taken is what we hold.
        ahead = Math.max(ahead, (slow.told.at(-1)?.doneBytes ?? 0) - taken);
      }
      return { sizeBytes: taken };
    },
  };
  await takeBackup(request(source, store), slow);
  expect(slow.told.at(-1)?.doneBytes).toBeGreaterThan(80_000_000);
  expect(ahead).toBeGreaterThan(0);
  expect(ahead).toBeLessThan(4_000_000);
});
