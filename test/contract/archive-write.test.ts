import { randomBytes } from "node:crypto";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import { expect, test } from "vitest";
import { compressContent } from "../../provider/backup/archive/compress";
import type { ArchiveEntry } from "../../provider/backup/archive/layout";
import { writeArchive } from "../../provider/backup/archive/write";
import type { Store } from "../../provider/stores/contract";
import { until } from "../support/redis-server";
import { never, pieces, sha256 } from "./archive-support";
import { names, temporaryStore } from "./backup-support";

const KEY = "cache-12345678/a.tar.gz";

const write = (store: Store, entries: readonly ArchiveEntry[], signal = never) =>
  writeArchive(entries, { store, key: KEY, modifiedAt: 0, signal });

const described = ({ sizeBytes, sha256 }: { sizeBytes: number; sha256: string }) => ({
  sizeBytes,
  sha256: () => sha256,
});

test("what comes compressed makes the same archive as what is compressed on the way", async () => {
  await using opened = await temporaryStore();
  const content = Buffer.concat([Buffer.alloc(1_000_001, "row "), randomBytes(700_000)]);
  const { members, raw } = compressContent(pieces(content));
  const kept: Buffer[] = [];
  for await (const member of members) kept.push(member);
  const entry = { kind: "file", path: "dump.rdb" } as const;
  const ends: readonly ArchiveEntry[] = [
    { kind: "file", path: "end", sizeBytes: 3, content: [Buffer.from("end")] },
  ];
  const tars: Buffer[] = [];
  const files: unknown[] = [];
  for (const dump of [
    { ...entry, ...described(raw()), members: pieces(Buffer.concat(kept), 1_000) },
    { ...entry, sizeBytes: content.length, content: pieces(content) },
  ]) {
    const written = await write(opened.store, [dump, ...ends]);
    files.push(written.files);
    const stored = await readFile(`${fileURLToPath(opened.store.url)}/${KEY}`);
    expect(written.archive).toEqual({ sizeBytes: stored.length, sha256: sha256(stored) });
    expect(written.key).toBeUndefined();
    tars.push(gunzipSync(stored));
    await opened.store.delete(KEY, never);
  }
  expect(tars[0]?.equals(tars[1] ?? Buffer.alloc(0))).toBe(true);
  expect(files[0]).toEqual(files[1]);
});

test("the store is told about how much will come at most, whether it is compressed already or not", async () => {
  await using opened = await temporaryStore();
  const estimates: (number | undefined)[] = [];
  const store: Store = {
    ...opened.store,
    put: (key, source, options) => {
      estimates.push(options.estimateBytes);
      return opened.store.put(key, source, options);
    },
  };
  const content = randomBytes(3_000_000);
  const { members, raw } = compressContent(pieces(Buffer.alloc(9_000_000)));
  const kept: Buffer[] = [];
  for await (const member of members) kept.push(member);
  const compressed = Buffer.concat(kept);
  const entry = { kind: "file", path: "dump.rdb" } as const;
  const sizes: number[] = [];
  for (const dump of [
    { ...entry, sizeBytes: content.length, content: pieces(content) },
    { ...entry, ...described(raw()), members: pieces(compressed) },
  ]) {
    sizes.push((await write(store, [dump])).archive.sizeBytes);
    await opened.store.delete(KEY, never);
  }
  expect(estimates).toEqual([3_002_048, 9_002_048]);
  // What doesn't shrink grows a little: far less than the parts that are kept in reserve.
  for (const [i, sizeBytes] of sizes.entries())
    expect((estimates[i] ?? 0) * 1.01).toBeGreaterThanOrEqual(sizeBytes);
});

test("a content that isn't as long as it was announced leaves nothing", async () => {
  await using opened = await temporaryStore();
  for (const sizeBytes of [9, 11]) {
    const entry = { kind: "file", path: "dump.rdb", sizeBytes, content: pieces(randomBytes(10)) } as const;
    await expect(write(opened.store, [entry])).rejects.toThrow(
      `dump.rdb has 10 bytes instead of ${sizeBytes}`,
    );
  }
  expect(await names(opened.store)).toEqual([]);
});

test("a source that fails, in clear or compressed, is the cause that is told", async () => {
  await using opened = await temporaryStore();
  const cause = new Error("the link was cut");
  async function* failing() {
    yield randomBytes(600_000);
    throw cause;
  }
  const entry = { kind: "file", path: "dump.rdb", sizeBytes: 1_000_000 } as const;
  await expect(write(opened.store, [{ ...entry, content: failing() }])).rejects.toBe(cause);
  const compressed = { ...entry, sha256: () => "", members: failing() };
  await expect(write(opened.store, [compressed])).rejects.toBe(cause);
  expect(await names(opened.store)).toEqual([]);
});

test("a store that fails ends the source", async () => {
  await using opened = await temporaryStore();
  const cause = new Error("the disk is full");
  let ended = false;
  async function* endless() {
    try {
      for (;;) yield randomBytes(100_000);
    } finally {
      ended = true;
    }
  }
  const store: Store = {
    ...opened.store,
    put: async (_key, stream) => {
      for await (const _chunk of stream) break;
      throw cause;
    },
  };
  const entry = { kind: "file", path: "dump.rdb", sizeBytes: 1e9, content: endless() } as const;
  await expect(write(store, [entry])).rejects.toBe(cause);
  await until("the source to be ended", () => ended);
});

test("it ends with the signal's reason, although the source has fallen silent", async () => {
  await using opened = await temporaryStore();
  const abort = new AbortController();
  const reason = new Error("told to stop");
  async function* silent() {
    yield randomBytes(100_000);
    setImmediate(() => abort.abort(reason));
    await new Promise(() => undefined);
  }
  const entry = { kind: "file", path: "dump.rdb", sizeBytes: 1e9, content: silent() } as const;
  await expect(write(opened.store, [entry], abort.signal)).rejects.toBe(reason);
  expect(await names(opened.store)).toEqual([]);
});
