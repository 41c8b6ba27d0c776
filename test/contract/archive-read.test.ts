import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, stat } from "node:fs/promises";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { Readable } from "node:stream";
import { constants, gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { Header } from "tar";
import { describe, expect, test } from "vitest";
import { readArchive } from "../../provider/backup/archive/read";
import { Failure } from "../../provider/core/errors";
import type { Manifest } from "../../provider/core/manifest";
import { until } from "../support/redis-server";
import { codeOf, manifestOf, never, readable, sha256, writtenArchive } from "./archive-support";
import { temporaryFolder } from "./backup-support";

const LINK = "appendonlydir/appendonly.aof.1.base.rdb";
const check = (stored: Buffer, manifest: Manifest) => readArchive(readable(stored), { manifest }, never);

test("an archive is written out as it was, for this user alone, its base a hard link to the dump", async () => {
  const dump = randomBytes(3_000_001);
  const { stored, manifest } = await writtenArchive(dump);
  await using parent = await temporaryFolder();
  const folder = join(parent.path, "data");
  const told: number[] = [];
  await readArchive(readable(stored), { manifest, folder }, never, (bytes) => told.push(bytes));
  expect((await readdir(folder, { recursive: true })).sort()).toEqual(
    [...manifest.files.map(({ path }) => path), "appendonlydir", LINK].sort(),
  );
  for (const { path, sha256: hash } of manifest.files)
    expect(sha256(await readFile(join(folder, path)))).toBe(hash);
  expect(await readFile(join(folder, "dump.rdb"))).toEqual(dump);
  const [file, link, inner] = await Promise.all(
    ["dump.rdb", LINK, "appendonlydir"].map((path) => stat(join(folder, path))),
  );
  expect(link?.ino).toBe(file?.ino);
  expect([file?.mode, inner?.mode].map((mode) => (mode ?? 0) & 0o777)).toEqual([0o600, 0o700]);
  expect(told.at(-1)).toBe(stored.length);
});

test("an archive cut anywhere is truncated, whoever cut it", async () => {
  const { stored, manifest } = await writtenArchive(randomBytes(300));
  for (let cut = 0; cut < stored.length; cut++)
    expect([cut, await codeOf(check(stored.subarray(0, cut), manifest))]).toEqual([cut, "archive-truncated"]);
});

test("one that was cut before its manifest was written is damaged, wherever it was cut", async () => {
  const { stored, manifest } = await writtenArchive(randomBytes(300));
  for (let cut = 0; cut < stored.length; cut++) {
    const part = stored.subarray(0, cut);
    expect([cut, await codeOf(check(part, manifestOf(part, manifest)))]).toEqual([cut, "archive-damaged"]);
  }
});

test("one whose tar was cut before it was packed is damaged, wherever it was cut", async () => {
  const { stored, manifest } = await writtenArchive(randomBytes(300));
  const tar = gunzipSync(stored);
  for (let cut = 0; cut < tar.length; cut += cut % 512 === 511 || cut % 512 === 0 ? 1 : 73) {
    const part = gzipSync(tar.subarray(0, cut));
    expect([cut, await codeOf(check(part, manifestOf(part, manifest)))]).toEqual([cut, "archive-damaged"]);
  }
});

test("a flipped bit anywhere is damage, and its bytes in any other size too", async () => {
  const { stored, manifest } = await writtenArchive(randomBytes(5_000));
  await fc.assert(
    fc.asyncProperty(fc.nat(stored.length - 1), fc.nat(7), async (at, bit) => {
      const flipped = Buffer.from(stored);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
      expect(await codeOf(check(flipped, manifest))).toBe("archive-damaged");
    }),
    { numRuns: 300 },
  );
  expect(await codeOf(check(Buffer.concat([stored, Buffer.alloc(1)]), manifest))).toBe("archive-damaged");
});

test("a bit that flipped before the manifest was written is damage, or changes no file", async () => {
  const { stored, manifest } = await writtenArchive(randomBytes(500));
  const tar = gunzipSync(stored);
  await fc.assert(
    fc.asyncProperty(fc.nat(tar.length - 1), fc.nat(7), fc.boolean(), async (at, bit, packed) => {
      const flipped = Buffer.from(packed ? stored : tar);
      const place = at % flipped.length;
      flipped[place] = (flipped[place] ?? 0) ^ (1 << bit);
      const archive = packed ? flipped : gzipSync(flipped, { level: 1 });
      await using folder = await temporaryFolder();
      const code = await codeOf(
        readArchive(
          readable(archive),
          { manifest: manifestOf(archive, manifest), folder: folder.path },
          never,
        ),
      );
      if (code !== undefined) {
        expect(code).toBe("archive-damaged");
        return;
      }
      for (const { path, sha256: hash } of manifest.files)
        expect(sha256(await readFile(join(folder.path, path)))).toBe(hash);
    }),
    { numRuns: 300 },
  );
});

test("however its bytes come in pieces, it reads the same", async () => {
  const { stored, manifest } = await writtenArchive(randomBytes(2_000));
  await fc.assert(
    fc.asyncProperty(fc.integer({ min: 1, max: 4_000 }), (size) =>
      readArchive(readable(stored, size), { manifest }, never),
    ),
    { numRuns: 50 },
  );
});

describe("a manifest that is wrong makes no archive good", () => {
  const wrong: readonly (readonly [string, RegExp, (manifest: Manifest) => Manifest])[] = [
    [
      "another archive's",
      /its bytes are not those/,
      (manifest) => ({ ...manifest, archive: { ...manifest.archive, sha256: "0".repeat(64) } }),
    ],
    [
      "without the dump",
      /does not list dump\.rdb/,
      (manifest) => ({ ...manifest, files: manifest.files.filter(({ path }) => path !== "dump.rdb") }),
    ],
    [
      "with a file that the archive lacks",
      /it lacks extra/,
      (manifest) => ({
        ...manifest,
        files: [...manifest.files, { path: "extra", sizeBytes: 0, sha256: "0".repeat(64) }],
      }),
    ],
    [
      "with a file twice",
      /a file twice/,
      (manifest) => ({ ...manifest, files: [...manifest.files, ...manifest.files.slice(0, 1)] }),
    ],
    [
      "with two sizes of the dump",
      /two sizes/,
      (manifest) => ({ ...manifest, rdb: { ...manifest.rdb, sizeBytes: 7 } }),
    ],
    [
      "with another size of a file",
      /redis\.conf has \d+ bytes in it instead of 1\b/,
      (manifest) => changed(manifest, "redis.conf", { sizeBytes: 1 }),
    ],
    [
      "with another hash of a file",
      /the content of redis\.conf is not what was written/,
      (manifest) => changed(manifest, "redis.conf", { sha256: "0".repeat(64) }),
    ],
    ...["../out", "/etc/out", "a/../../out", "a//b", "C:\\out", ".hidden", "", "appendonlydir/"].map(
      (path) =>
        [
          `with the path ${JSON.stringify(path)}`,
          /a path that no archive holds/,
          (manifest: Manifest) => ({
            ...manifest,
            files: [...manifest.files, { path, sizeBytes: 0, sha256: sha256(Buffer.alloc(0)) }],
          }),
        ] as const,
    ),
  ];
  test.each(wrong)("%s", async (_name, cause, change) => {
    const { stored, manifest } = await writtenArchive(randomBytes(500));
    await expect(check(stored, change(manifest))).rejects.toMatchObject({
      code: "archive-damaged",
      cause: expect.stringMatching(cause),
    });
  });
});

describe("a tar that holds anything else is refused, and nothing is written outside of the folder", () => {
  const head = (fields: ConstructorParameters<typeof Header>[0]) => {
    const block = Buffer.alloc(512);
    new Header(fields).encode(block);
    return block;
  };
  const entry = (
    path: string,
    type: "File" | "SymbolicLink" | "Link" | "CharacterDevice",
    linkpath?: string,
  ) => head({ path, type, mode: 0o600, size: 0, ...(linkpath === undefined ? {} : { linkpath }) });
  const END = 1024;
  /** What tar's own encoder refuses to write. */
  const folderOfSize = (size: number) => {
    const block = head({ path: "appendonlydir/", type: "File", mode: 0o700, size });
    block.write("5", 156);
    block.fill(" ", 148, 156);
    const sum = block.reduce((total, byte) => total + byte, 0);
    block.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
    return block;
  };
  const add =
    (...blocks: readonly Buffer[]) =>
    (tar: Buffer) =>
      Buffer.concat([tar.subarray(0, -END), ...blocks, Buffer.alloc(END)]);
  /** Puts another header in the place of an entry's own. */
  const instead = (path: string, block: Buffer) => (tar: Buffer) => {
    const at = tar.indexOf(`${path}\0`);
    return Buffer.concat([tar.subarray(0, at), block, tar.subarray(at + 512)]);
  };
  const empty = "appendonlydir/appendonly.aof.1.incr.aof";

  test.each<readonly [string, RegExp, (tar: Buffer) => Buffer]>([
    ["a path that leads out", /none of its own: "\.\.\/out"/, add(entry("../out", "File"))],
    ["an absolute path", /none of its own/, add(entry("/tmp/out", "File"))],
    ["a symbolic link", /none of its own/, add(entry("out", "SymbolicLink", "/etc/passwd"))],
    ["a device", /none of its own/, add(entry("out", "CharacterDevice"))],
    ["an entry twice", /redis\.conf twice/, add(entry("redis.conf", "File"))],
    [
      "a symbolic link for a file",
      /no regular file/,
      instead(empty, entry(empty, "SymbolicLink", "/etc/passwd")),
    ],
    ["a link to another place", /no link to dump\.rdb/, instead(LINK, entry(LINK, "Link", "/etc/passwd"))],
    [
      "a symbolic link as the base",
      /no link to dump\.rdb/,
      instead(LINK, entry(LINK, "SymbolicLink", "dump.rdb")),
    ],
    [
      "a file for the folder",
      /no folder/,
      instead("appendonlydir/", head({ path: "appendonlydir/", type: "File", mode: 0o600, size: 9 })),
    ],
    [
      "bytes between its entries",
      /something follows README.txt/,
      (tar) => {
        const filled = Buffer.from(tar);
        filled[tar.indexOf("redis.conf\0") - 1] = 1;
        return filled;
      },
    ],
    ["bytes after its end", /something follows its end/, (tar) => Buffer.concat([tar, Buffer.from("more")])],
    ["zeros after its end", /something follows its end/, (tar) => Buffer.concat([tar, Buffer.alloc(512)])],
    [
      "an end in its middle",
      /it lacks redis\.conf, dump\.rdb, appendonlydir/,
      (tar) => Buffer.concat([tar.subarray(0, tar.indexOf("redis.conf\0")), Buffer.alloc(END)]),
    ],
    ["a folder with a content", /no folder/, instead("appendonlydir/", folderOfSize(9))],
  ])("%s", async (_name, cause, change) => {
    const { stored, manifest } = await writtenArchive(randomBytes(500));
    const archive = gzipSync(change(gunzipSync(stored)), { level: constants.Z_BEST_SPEED });
    await using parent = await temporaryFolder();
    const folder = await mkdtemp(join(parent.path, "data-"));
    await expect(
      readArchive(readable(archive), { manifest: manifestOf(archive, manifest), folder }, never),
    ).rejects.toMatchObject({ code: "archive-damaged", cause: expect.stringMatching(cause) });
    expect(await readdir(parent.path)).toHaveLength(1);
  });

  test.each([
    ["zeros", Buffer.alloc(100)],
    ["bytes", Buffer.from("more")],
    ["an empty gzip member and a zero", Buffer.concat([gzipSync(""), Buffer.alloc(1)])],
  ])("%s after its gzip", async (_name, garbage) => {
    const { stored, manifest } = await writtenArchive(randomBytes(500));
    const archive = Buffer.concat([stored, garbage]);
    for (const size of [archive.length, stored.length, 1])
      expect(
        await codeOf(
          readArchive(readable(archive, size), { manifest: manifestOf(archive, manifest) }, never),
        ),
      ).toBe("archive-damaged");
  });

  test("a gzip bomb after its end", async () => {
    const { stored, manifest } = await writtenArchive(randomBytes(500));
    const bomb = gzipSync(Buffer.alloc(200_000_000), { level: 1 });
    const archive = Buffer.concat([stored, bomb]);
    await expect(check(archive, manifestOf(archive, manifest))).rejects.toMatchObject({
      code: "archive-damaged",
      cause: "something follows its end",
    });
  });
});

test("no more of a wrong archive is unpacked than its manifest tells", async () => {
  const { stored, manifest } = await writtenArchive(Buffer.alloc(50_000_000));
  const dumpOfOne = {
    ...changed(manifest, "dump.rdb", { sizeBytes: 1 }),
    rdb: { ...manifest.rdb, sizeBytes: 1 },
  };
  await using folder = await temporaryFolder();
  await expect(
    readArchive(readable(stored), { manifest: dumpOfOne, folder: folder.path }, never),
  ).rejects.toMatchObject({
    code: "archive-damaged",
    cause: "dump.rdb has 50000000 bytes in it instead of 1",
  });
  expect(await readdir(folder.path)).not.toContain("dump.rdb");
});

test.each([
  ["a Failure", new Failure({ code: "unreachable", operation: "read", subject: "s3", cause: "reset" })],
  ["an error that is none of ours", new Error("reset")],
])("what the store fails with, %s, is not taken for damage", async (_name, cause) => {
  const { stored, manifest } = await writtenArchive(randomBytes(8_000_000));
  await using folder = await temporaryFolder();
  const broken = Readable.from(
    (async function* () {
      // As many members are unpacked side by side as there are cores, at most eight of half a megabyte.
      yield stored.subarray(0, 6_000_000);
      await until("the dump to be begun", () => existsSync(join(folder.path, "dump.rdb")));
      throw cause;
    })(),
    { objectMode: false },
  );
  await expect(readArchive(broken, { manifest, folder: folder.path }, never)).rejects.toBe(cause);
  expect(broken.destroyed).toBe(true);
});

test("a folder that can't be written to is not taken for damage", async () => {
  const { stored, manifest } = await writtenArchive(randomBytes(500));
  await expect(
    readArchive(readable(stored), { manifest, folder: "/dev/null/data" }, never),
  ).rejects.toMatchObject({ code: "not-a-folder" });
});

test("it ends with the signal's reason, although the store has fallen silent", async () => {
  const { stored, manifest } = await writtenArchive(randomBytes(500));
  const abort = new AbortController();
  const reason = new Error("told to stop");
  const silent = new Readable({ read: () => undefined });
  silent.push(stored.subarray(0, 200));
  const reading = readArchive(silent, { manifest }, abort.signal, () =>
    setImmediate(() => abort.abort(reason)),
  );
  await expect(reading).rejects.toBe(reason);
  expect(silent.destroyed).toBe(true);
});

function changed(manifest: Manifest, path: string, change: Partial<Manifest["files"][number]>): Manifest {
  return {
    ...manifest,
    files: manifest.files.map((file) => (file.path === path ? { ...file, ...change } : file)),
  };
}
