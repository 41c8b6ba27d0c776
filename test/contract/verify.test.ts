import { readFile, rm, truncate, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readVerification } from "../../provider/backup/verify/record";
import { task } from "./backup-support";
import {
  atHand,
  type BackedUp,
  backedUp,
  CATALOG,
  copyOf,
  deepFolder,
  forge,
  isEmpty,
  marks,
  RICH,
  script,
  SLOT,
  VALUE,
} from "./verify-support";

const never = new AbortController().signal;
const AOF_MANIFEST = "appendonlydir/appendonly.aof.manifest";
const INCREMENT = "appendonlydir/appendonly.aof.1.incr.aof";

const aof = (...words: string[]) =>
  Buffer.from(
    `*${words.length}\r\n${words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`).join("")}`,
  );
const edited = (files: Map<string, Buffer>, path: string, edit: (content: Buffer) => Buffer) =>
  files.set(path, edit(files.get(path) ?? Buffer.alloc(0)));

test("a good backup is verified: loaded both ways, counted with all that has expired since, and written down", async () => {
  await using backup = await backedUp();
  const given = task();
  const verification = await backup.verify({}, given);
  const { version } = backup.manifest.server;
  expect(verification).toMatchObject({
    format: 1,
    slot: SLOT,
    archive: backup.manifest.archive.name,
    outcome: "verified",
    server: { version },
    counts: RICH,
  });
  expect(verification.why).toBeUndefined();
  expect(await marks(backup.store)).toEqual([".json", ".verified.json"]);
  expect(await readVerification(backup.store, CATALOG, SLOT, "verified", never)).toEqual(verification);
  expect(await isEmpty(backup.scratch)).toBe(true);
  const { sizeBytes } = backup.manifest.archive;
  expect(given.told).toContainEqual({
    message: "checking the archive",
    doneBytes: sizeBytes,
    totalBytes: sizeBytes,
  });
  expect(given.told.map(({ message }) => message)).toContain(
    "loading it with a scratch server, redis-server ./redis.conf",
  );
});

test("a scratch folder whose path is too long for a socket does", async () => {
  await using backup = await backedUp();
  const scratchFolder = await deepFolder(backup.scratch);
  expect(await backup.verify({ scratchFolder })).toMatchObject({ outcome: "verified" });
  expect(await isEmpty(scratchFolder)).toBe(true);
});

test("a server behind a script, which cannot be called redis-check-rdb, does", async () => {
  await using backup = await backedUp();
  const { path, version } = atHand();
  await using wrapper = await script(`exec ${path} "$@"`);
  expect(await backup.verify({ servers: [{ path: wrapper.path, version }] })).toMatchObject({
    outcome: "verified",
    counts: RICH,
  });
});

describe("a backup is found damaged", () => {
  let backup: BackedUp;
  beforeAll(async () => {
    backup = await backedUp();
  });
  afterAll(() => backup[Symbol.asyncDispose]());

  test.each<[string, RegExp, (files: Map<string, Buffer>) => void]>([
    [
      "by a bit that was flipped before anything was hashed",
      /CRC error/,
      (files) =>
        edited(files, "dump.rdb", (dump) => {
          const at = dump.indexOf(VALUE);
          dump.writeUInt8(dump.readUInt8(at) ^ 1, at);
          return dump;
        }),
    ],
    [
      "by a snapshot that was cut before anything was hashed",
      /Unexpected EOF/,
      (files) => edited(files, "dump.rdb", (dump) => dump.subarray(0, 9_000)),
    ],
    [
      "by a dump that is none",
      /no snapshot/,
      (files) => edited(files, "dump.rdb", () => Buffer.from("hello")),
    ],
    [
      "by commands behind the snapshot, which the append-only folder's base would run",
      /32 bytes follow the end/,
      (files) => edited(files, "dump.rdb", (dump) => Buffer.concat([dump, aof("SET", "new", "valu")])),
    ],
    [
      "by an append-only file that is not empty",
      /holds more than its snapshot/,
      (files) => edited(files, INCREMENT, () => aof("FLUSHALL")),
    ],
    [
      "by a list of append-only files that names another one",
      /redis\.conf\): it says "Unable to obtain the AOF file/,
      (files) => edited(files, AOF_MANIFEST, (list) => Buffer.from(String(list).replace("1.base", "2.base"))),
    ],
    [
      "by a list of append-only files that is none",
      /Invalid AOF manifest file format|Reading the manifest file/,
      (files) => edited(files, AOF_MANIFEST, () => Buffer.from("rubbish\n")),
    ],
    [
      "by a list of append-only files without the base, so that the ways disagree",
      /redis-server finds 2004 keys, redis-server \.\/redis\.conf 0/,
      (files) =>
        edited(files, AOF_MANIFEST, () => Buffer.from("file appendonly.aof.1.incr.aof seq 1 type i\n")),
    ],
    [
      "by a configuration that leads past the append-only folder",
      /does not lead to its append-only folder/,
      (files) =>
        edited(files, "redis.conf", (conf) => Buffer.from(String(conf).replace("appendonly yes\n", ""))),
    ],
  ])("%s", async (_, why, change) => {
    await using own = await copyOf(backup);
    await forge(own, change);
    expect(await own.verify()).toMatchObject({ outcome: "damaged", why: expect.stringMatching(why) });
    expect(await marks(own.store)).toEqual([".damaged.json", ".json"]);
    expect(await isEmpty(own.scratch)).toBe(true);
  });

  test("by a manifest that gives another offset than the snapshot", async () => {
    await using own = await copyOf(backup);
    await forge(own, () => undefined, { replication: { ...own.manifest.replication, offset: 123_456_789 } });
    expect(await own.verify()).toMatchObject({
      outcome: "damaged",
      why: expect.stringContaining("its manifest as 123456789"),
    });
  });

  test.each<[string, RegExp, (path: string) => Promise<void>]>([
    [
      "by a bit that flips in the store",
      /not those that were written/,
      async (path) => {
        const bytes = await readFile(path);
        bytes.writeUInt8(bytes.readUInt8(5_000) ^ 1, 5_000);
        await writeFile(path, bytes);
      },
    ],
    ["by an archive that is cut short in the store", /ends after 5000 of/, (path) => truncate(path, 5_000)],
    ["by an archive that is gone", /its archive is gone/, (path) => rm(path)],
  ])("%s", async (_, why, harm) => {
    await using own = await copyOf(backup);
    await harm(own.archivePath);
    const damaged = { outcome: "damaged", why: expect.stringMatching(why) };
    expect(await own.verify()).toMatchObject(damaged);
    // As it is where nobody can load it.
    expect(await own.verify({ servers: [] })).toMatchObject(damaged);
  });

  test("by commands behind the snapshot where no redis-check-rdb sees them, and none of them reaches beyond the data", async () => {
    await using own = await copyOf(backup);
    const { path, version } = atHand();
    await using wrapper = await script(`exec ${path} "$@"`);
    const servers = [{ path: wrapper.path, version }];
    const behind = (command: Buffer) =>
      forge(own, (files) => edited(files, "dump.rdb", (dump) => Buffer.concat([dump, command])));
    await behind(aof("SET", "new", "value"));
    expect(await own.verify({ servers })).toMatchObject({
      outcome: "damaged",
      why: "redis-server finds 2004 keys, redis-server ./redis.conf 2005",
    });
    await behind(aof("MODULE", "LOAD", "/nonexistent.so"));
    expect(await own.verify({ servers })).toMatchObject({
      outcome: "damaged",
      why: expect.stringMatching(/Unknown command 'MODULE'/),
    });
  });
});
