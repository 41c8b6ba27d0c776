import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { listCatalogs, readCatalog, readListed, readManifest } from "../../provider/backup/catalog";
import { deleteBackup } from "../../provider/backup/delete-backup";
import { downloadArchive, extractBackup } from "../../provider/backup/download-backup";
import { findBackup } from "../../provider/backup/find-backup";
import { pinBackup, unpinBackup } from "../../provider/backup/pin";
import { prune } from "../../provider/backup/prune";
import { showBackup } from "../../provider/backup/show-backup";
import type { VerificationOutcome } from "../../provider/core/verification";
import type { Store } from "../../provider/stores/contract";
import { startRedisServer } from "../support/redis-server";
import { names, task, temporaryFolder, temporaryStore } from "./backup-support";
import { type BackedUp, backedUp, CATALOG, copyOf, forge, put, SLOT } from "./verify-support";

const never = new AbortController().signal;
const SLOTS = [
  "20260501T030000000Z",
  "20260501T150000000Z",
  "20260502T030000000Z",
  "20260503T030000000Z",
] as const;
const [FIRST, SECOND, THIRD, FOURTH] = SLOTS;
const ENDINGS = {
  verified: ".verified.json",
  "structure-checked": ".checked.json",
  damaged: ".damaged.json",
};

async function backup(store: Store, slot: string, outcome?: VerificationOutcome): Promise<void> {
  await put(store, `${CATALOG}/${slot}-a.tar.gz`, "data");
  const manifest = {
    format: 1,
    addon: { name: "cache", catalogKey: CATALOG },
    slot,
    reason: "scheduled",
    archive: { name: `${slot}-a.tar.gz`, sizeBytes: 4, sha256: "0".repeat(64) },
    files: [],
    takenAt: "2026-05-01T03:00:00.000Z",
    finishedAt: "2026-05-01T03:00:00.000Z",
    replication: { id: "x", offset: 0 },
    server: { name: "redis", version: "7.0.15" },
    rdb: { magic: "REDIS0010", version: 10, sizeBytes: 1 },
  };
  await put(store, `${CATALOG}/${slot}.json`, JSON.stringify(manifest));
  if (outcome !== undefined) await put(store, `${CATALOG}/${slot}${ENDINGS[outcome]}`, "{}");
}

const slots = async (store: Store) =>
  (await readCatalog(store, CATALOG, never)).backups.map(({ name }) => name);

test("what a stranger has blown up beside a backup is not read into memory", async () => {
  await using opened = await four();
  const { store } = opened;
  const largest = 1024 * 1024;
  // It would count, were it read: JSON may end in blanks.
  const blownUp = async (name: string, sizeBytes: number) => {
    const text = await buffer(await store.get(`${CATALOG}/${name}`, never));
    await put(store, `${CATALOG}/${name}`, text.toString().padEnd(sizeBytes));
  };
  await pinBackup(store, CATALOG, FIRST, "a note", task());
  await blownUp(`${FIRST}.pin`, largest);
  await blownUp(`${FIRST}.json`, largest);
  expect((await showBackup(store, CATALOG, FIRST, task())).pin).toMatchObject({ note: "a note" });
  await blownUp(`${FIRST}.pin`, largest + 1);
  const { listed, pin } = await showBackup(store, CATALOG, FIRST, task());
  expect(listed.pinned).toBe(true);
  expect(pin).toBeUndefined();
  await blownUp(`${FIRST}.json`, largest + 1);
  await expect(readManifest(store, CATALOG, FIRST, never)).rejects.toMatchObject({
    code: "manifest-damaged",
    cause: "it is larger than 1 MiB",
  });
});

async function four() {
  const opened = await temporaryStore();
  await backup(opened.store, FIRST, "verified");
  await backup(opened.store, SECOND, "verified");
  await backup(opened.store, THIRD, "structure-checked");
  await backup(opened.store, FOURTH);
  return opened;
}

test("the catalogs of a store are those that hold a backup", async () => {
  await using opened = await temporaryStore();
  expect(await listCatalogs(opened.store, never)).toEqual([]);
  await backup(opened.store, FIRST);
  await put(opened.store, "half-1/20260501T030000000Z-a.tar.gz", "an attempt that was interrupted");
  await put(opened.store, "strangers/notes.txt", "hello");
  expect(await listCatalogs(opened.store, never)).toEqual([CATALOG]);
});

describe("the backup that somebody means", () => {
  test.each([
    ["latest", FOURTH],
    ["latest-verified", SECOND],
    [FIRST, FIRST],
    ["20260502", THIRD],
    ["20260501T15", SECOND],
  ])("by %s is found", async (wanted, slot) => {
    await using opened = await four();
    expect(findBackup(await readCatalog(opened.store, CATALOG, never), wanted, "file:///x").name).toBe(slot);
  });

  test.each([
    ["20260501", "ambiguous-backup", `2 backups begin so: ${SECOND}, ${FIRST}`],
    ["20270101", "no-such-backup", `There are: ${FOURTH}, ${THIRD}, ${SECOND}, ${FIRST}`],
    ["", "no-such-backup", "There are"],
    ["2", "no-such-backup", "There are"],
    ["latest-damaged", "no-such-backup", "There are"],
  ])("by %j is not found, and what there is is told", async (wanted, code, told) => {
    await using opened = await four();
    const catalog = await readCatalog(opened.store, CATALOG, never);
    expect(() => findBackup(catalog, wanted, "file:///x")).toThrow(
      expect.objectContaining({ code, message: expect.stringContaining(told) }),
    );
  });

  test("is not found in an empty catalog, nor a verified one where none is", async () => {
    await using opened = await temporaryStore();
    const empty = await readCatalog(opened.store, CATALOG, never);
    expect(() => findBackup(empty, "latest", "file:///x")).toThrow(/there are no backups/);
    await backup(opened.store, FIRST);
    const unverified = await readCatalog(opened.store, CATALOG, never);
    expect(() => findBackup(unverified, "latest-verified", "file:///x")).toThrow(
      /none of the backups is verified/,
    );
  });
});

describe("a pin", () => {
  test("keeps a backup from pruning and deletion until it is removed, and says why it is there", async () => {
    await using opened = await four();
    const { store } = opened;
    expect(await pinBackup(store, CATALOG, FIRST, "before the migration", task())).toMatchObject({
      format: 1,
    });
    expect(await showBackup(store, CATALOG, FIRST, task())).toMatchObject({
      listed: { pinned: true, verification: "verified" },
      pin: { note: "before the migration" },
    });
    await expect(deleteBackup(store, CATALOG, FIRST, {}, task())).rejects.toMatchObject({ code: "pinned" });
    const addon = { catalogKey: CATALOG, createdAt: "2020-01-01T00:00:00.000Z" };
    expect((await prune(store, addon, { keepLast: 1 }, undefined, task())).removed).toEqual([THIRD]);
    await unpinBackup(store, CATALOG, FIRST, task());
    await unpinBackup(store, CATALOG, FIRST, task());
    expect((await prune(store, addon, { keepLast: 1 }, undefined, task())).removed).toEqual([FIRST]);
    expect(await slots(store)).toEqual([SECOND, FOURTH]);
  });

  test("is not left beside a backup that is not there, nor beside one that is removed at that moment", async () => {
    await using opened = await four();
    const { store } = opened;
    await expect(pinBackup(store, CATALOG, "20300101T000000000Z", undefined, task())).rejects.toMatchObject({
      code: "no-such-backup",
      hint: expect.stringContaining(FOURTH),
    });
    const racing: Store = {
      ...store,
      put: async (...given) => {
        await store.delete(`${CATALOG}/${FIRST}.json`, never);
        return store.put(...given);
      },
    };
    await expect(pinBackup(racing, CATALOG, FIRST, undefined, task())).rejects.toMatchObject({
      code: "no-such-backup",
    });
    expect((await names(store)).filter((name) => name.endsWith(".pin"))).toEqual([]);
  });

  test("made by hand holds nothing, and pins as well", async () => {
    await using opened = await four();
    const { store } = opened;
    await put(store, `${CATALOG}/${THIRD}.pin`, "");
    const addon = { catalogKey: CATALOG, createdAt: "2020-01-01T00:00:00.000Z" };
    expect((await prune(store, addon, { keepLast: 1 }, undefined, task())).removed).toEqual([FIRST]);
    const { listed, pin } = await showBackup(store, CATALOG, THIRD, task());
    expect({ pinned: listed.pinned, pin }).toEqual({ pinned: true, pin: undefined });
  });
});

describe("a deletion", () => {
  test("removes all that belongs to the backup", async () => {
    await using opened = await four();
    await deleteBackup(opened.store, CATALOG, THIRD, {}, task());
    expect((await names(opened.store)).filter((name) => name.includes(THIRD))).toEqual([]);
    await expect(deleteBackup(opened.store, CATALOG, THIRD, {}, task())).rejects.toMatchObject({
      code: "no-such-backup",
    });
  });

  test("of the newest verified one wants to be meant", async () => {
    await using opened = await four();
    const { store } = opened;
    await expect(deleteBackup(store, CATALOG, SECOND, {}, task())).rejects.toMatchObject({
      code: "newest-verified",
    });
    expect(await slots(store)).toHaveLength(4);
    await deleteBackup(store, CATALOG, SECOND, { evenNewestVerified: true }, task());
    expect(await slots(store)).toEqual([FIRST, THIRD, FOURTH]);
  });

  test("that is cut short anywhere leaves nothing that vouches for the next backup of the slot", async () => {
    for (let steps = 0; steps < 6; steps++) {
      await using opened = await four();
      let left = steps;
      const failing: Store = {
        ...opened.store,
        delete: async (key, signal) => {
          if (left-- === 0) throw new Error("killed");
          await opened.store.delete(key, signal);
        },
      };
      await deleteBackup(failing, CATALOG, FIRST, {}, task()).catch(() => undefined);
      const after = await readListed(opened.store, CATALOG, FIRST, never);
      if (after === undefined) {
        await backup(opened.store, FIRST);
        expect((await readListed(opened.store, CATALOG, FIRST, never))?.verification).toBeUndefined();
      } else expect(after.archives).toHaveLength(1);
    }
  });
});

describe("a download", () => {
  let source: BackedUp;
  const passphrase = "correct horse battery staple";
  beforeAll(async () => {
    source = await backedUp({ encryption: { passphrase } });
  });
  afterAll(() => source[Symbol.asyncDispose]());

  test("is the archive as it is stored, with its progress, and overwrites nothing", async () => {
    await using folder = await temporaryFolder();
    const to = join(folder.path, "backup.tar.gz.age");
    const given = task();
    await downloadArchive(source.store, CATALOG, SLOT, { to }, given);
    expect(await readFile(to)).toEqual(await readFile(source.archivePath));
    const { sizeBytes } = source.manifest.archive;
    expect(given.told.at(-1)).toMatchObject({ doneBytes: sizeBytes, totalBytes: sizeBytes });
    await expect(downloadArchive(source.store, CATALOG, SLOT, { to }, task())).rejects.toMatchObject({
      code: "already-exists",
    });
    expect(await readdir(folder.path)).toEqual(["backup.tar.gz.age"]);
  });

  test("into a folder is what a server loads, and needs the key", async () => {
    await using folder = await temporaryFolder();
    const to = join(folder.path, "data");
    await mkdir(to);
    await expect(extractBackup(source.store, CATALOG, SLOT, { to }, task())).rejects.toMatchObject({
      code: "needs-key",
    });
    await extractBackup(source.store, CATALOG, SLOT, { to, key: { passphrase } }, task());
    await using server = await startRedisServer({ dir: to, config: "./redis.conf" });
    expect(await server.client.exists("binary")).toBe(1);
    await expect(
      extractBackup(source.store, CATALOG, SLOT, { to, key: { passphrase } }, task()),
    ).rejects.toMatchObject({ code: "already-exists" });
    expect(await readdir(folder.path)).toEqual(["data"]);
  });

  test("into a folder is refused where its files would make a server do more than load the data", async () => {
    await using own = await backedUp();
    await using folder = await temporaryFolder();
    const to = join(folder.path, "data");
    const line = Buffer.from("loadmodule /tmp/stranger.so\n");
    await forge(own, (files) =>
      files.set("redis.conf", Buffer.concat([files.get("redis.conf") ?? Buffer.alloc(0), line])),
    );
    await expect(extractBackup(own.store, CATALOG, SLOT, { to }, task())).rejects.toMatchObject({
      code: "archive-unknown",
      cause: expect.stringContaining("loadmodule"),
    });
    await forge(own, (files) => files.set("appendonlydir/appendonly.aof.1.incr.aof", Buffer.from("x")));
    await expect(extractBackup(own.store, CATALOG, SLOT, { to }, task())).rejects.toMatchObject({
      code: "archive-damaged",
    });
    expect(await readdir(folder.path)).toEqual([]);
  });

  test("of what the store no longer holds as it was written leaves nothing", async () => {
    await using own = await copyOf(source);
    await using folder = await temporaryFolder();
    const bytes = await readFile(own.archivePath);
    const to = join(folder.path, "x");
    const attempts = async () => [
      await downloadArchive(own.store, CATALOG, SLOT, { to }, task()).catch((error: unknown) => error),
      await extractBackup(own.store, CATALOG, SLOT, { to, key: { passphrase } }, task()).catch(
        (error: unknown) => error,
      ),
    ];
    await writeFile(own.archivePath, bytes.subarray(0, 5_000));
    expect(await attempts()).toMatchObject([{ code: "archive-truncated" }, { code: "archive-truncated" }]);
    bytes.writeUInt8(bytes.readUInt8(5_000) ^ 1, 5_000);
    await writeFile(own.archivePath, bytes);
    expect(await attempts()).toMatchObject([{ code: "archive-damaged" }, { code: "archive-damaged" }]);
    const aborted = AbortSignal.abort(new Error("told to stop"));
    await expect(
      downloadArchive(own.store, CATALOG, SLOT, { to }, task({ signal: aborted })),
    ).rejects.toThrow("told to stop");
    expect(await readdir(folder.path)).toEqual([]);
  });
});
