import { execFile } from "node:child_process";
import { createHash, randomBytes } from "node:crypto";
import { mkdir, readdir, readlink, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { buffer } from "node:stream/consumers";
import { promisify } from "node:util";
import { gunzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { capture } from "../../provider/backup/capture";
import { spool } from "../../provider/backup/spool";
import { compileProgram } from "../support/compiled-program";
import { inSmallDisk, smallDisk } from "../support/full-disk";
import { describeWith } from "../support/tools";
import { startRedisServer } from "../support/redis-server";
import { task, temporaryFolder, temporaryStore } from "./backup-support";

const never = new AbortController().signal;
const unpacked = (members: AsyncIterable<Buffer>) => buffer(members).then((all) => gunzipSync(all));

async function* pieces(...chunks: readonly Buffer[]): AsyncGenerator<Buffer, void> {
  yield* chunks;
}

/** Names of what this process has open, of temporary files alone. */
async function openFiles(): Promise<readonly string[]> {
  const names = await readdir("/proc/self/fd");
  const targets = await Promise.all(names.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => "")));
  return targets.filter((target) => target.includes("redis-addon-spool-"));
}

test("what is spooled comes back exactly, as gzip members, with its size and hash", async () => {
  await using folder = await temporaryFolder();
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 5_000 }), { maxLength: 20 }), async (chunks) => {
      const bytes = Buffer.concat(chunks);
      await using spooled = await spool(pieces(...chunks.map((c) => Buffer.from(c))), folder.path, never);
      expect(spooled.sizeBytes).toBe(bytes.length);
      // A snapshot has bytes: an empty content has no member.
      const all = await buffer(spooled.members);
      expect(all.length === 0 ? all : gunzipSync(all)).toEqual(bytes);
      expect(spooled.sha256()).toBe(createHash("sha256").update(bytes).digest("hex"));
    }),
    { numRuns: 30 },
  );
});

describe("what is compressed while it arrives, over what arrived, comes back exactly", () => {
  const MIB = 1024 * 1024;
  test.each([
    ["shrinks", Buffer.concat(Array.from({ length: 12 }, (_, i) => Buffer.alloc(MIB, `row ${i}, `)))],
    ["doesn't shrink", randomBytes(12 * MIB)],
    ["does only later", Buffer.concat([randomBytes(6 * MIB), Buffer.alloc(6 * MIB, "row, ")])],
  ])("where it %s", async (_, bytes) => {
    await using folder = await temporaryFolder();
    let madeBytes = 0;
    async function* slowly() {
      for (let at = 0; at < bytes.length; at += MIB) {
        yield bytes.subarray(at, at + MIB);
        // Room for the members so far.
        for (let turn = 0; turn < 20; turn++) await new Promise((go) => setTimeout(go, 1));
        madeBytes = at + MIB;
      }
    }
    await using spooled = await spool(slowly(), folder.path, never);
    expect([madeBytes, spooled.sizeBytes]).toEqual([bytes.length, bytes.length]);
    const all = await buffer(spooled.members);
    expect(gunzipSync(all).equals(bytes)).toBe(true);
    expect(spooled.sha256()).toBe(createHash("sha256").update(bytes).digest("hex"));
    expect(Math.abs(spooled.estimatedBytes - all.length)).toBeLessThan(all.length / 2);
  });
});

test("content is taken as fast as it comes, however long compressing it takes", async () => {
  await using folder = await temporaryFolder();
  let takenBytes = 0;
  async function* content() {
    const chunk = randomBytes(1_000_000);
    // Without a pause: nothing can have been compressed by its end.
    for (; takenBytes < 64_000_000; takenBytes += chunk.length) yield chunk;
  }
  await using spooled = await spool(content(), folder.path, never);
  const members = spooled.members[Symbol.asyncIterator]();
  expect((await members.next()).done).toBe(false);
  expect([takenBytes, spooled.sizeBytes]).toEqual([64_000_000, 64_000_000]);
});

test.runIf(process.platform === "linux")(
  "members that are read to the middle only let go of the file",
  async () => {
    await using folder = await temporaryFolder();
    const before = await openFiles();
    {
      await using spooled = await spool(pieces(randomBytes(8_000_000)), folder.path, never);
      for await (const piece of spooled.members) if (piece.length > 0) break;
    }
    expect(await openFiles()).toEqual(before);
  },
);

test("while it fills, the file has no name", async () => {
  await using folder = await temporaryFolder();
  let seen: string[] | undefined;
  async function* content() {
    const repetitive = Buffer.alloc(4_000_000, "so it goes ");
    yield repetitive;
    seen = await readdir(folder.path);
    yield repetitive;
  }
  await using spooled = await spool(content(), folder.path, never);
  expect(seen).toEqual([]);
  const all = await buffer(spooled.members);
  expect(all.length).toBeLessThan(200_000);
  expect(gunzipSync(all).length).toBe(8_000_000);
});

test("a folder that isn't there yet is made, for this user alone", async () => {
  await using folder = await temporaryFolder();
  const path = join(folder.path, "jobs", "one");
  await using spooled = await spool(pieces(randomBytes(100)), path, never);
  expect((await unpacked(spooled.members)).length).toBe(100);
  expect((await stat(path)).mode & 0o777).toBe(0o700);
});

test("a failure of the content is what is thrown, and an abort its reason", async () => {
  await using folder = await temporaryFolder();
  const cause = new Error("the connection was cut");
  async function* cut() {
    yield randomBytes(1_000_000);
    throw cause;
  }
  await expect(spool(cut(), folder.path, never)).rejects.toBe(cause);
  const abort = new AbortController();
  const reason = new Error("told to stop");
  async function* aborting() {
    yield randomBytes(1_000_000);
    abort.abort(reason);
    yield randomBytes(1_000_000);
  }
  await expect(spool(aborting(), folder.path, abort.signal)).rejects.toBe(reason);
  expect(await readdir(folder.path)).toEqual([]);
});

test("a folder that can't be used is named, with what to do", async () => {
  await using folder = await temporaryFolder();
  await mkdir(join(folder.path, "taken"));
  const file = join(folder.path, "taken", "file");
  await writeFile(file, "");
  await expect(spool(pieces(randomBytes(100)), file, never)).rejects.toMatchObject({
    code: "scratch-unusable",
    operation: "keep a snapshot in",
    subject: file,
    hint: expect.stringContaining("TMPDIR"),
  });
});

test("a content that is silent for ever is left at an abort", async () => {
  await using folder = await temporaryFolder();
  const abort = new AbortController();
  async function* silent() {
    yield randomBytes(1_000);
    setImmediate(() => abort.abort(new Error("enough")));
    await new Promise(() => undefined);
  }
  await expect(spool(silent(), folder.path, abort.signal)).rejects.toThrow("enough");
});

test("what was spooled is told on its way to the store as well: to a slow one that takes long", async () => {
  await using server = await startRedisServer({ args: ["--repl-diskless-sync-delay", "0"] });
  await using opened = await temporaryStore();
  for (let key = 0; key < 30; key++) await server.client.set(`random:${key}`, randomBytes(100_000));
  const telling = task();
  const { host, port } = server;
  const store = opened.store;
  const { archive } = await capture(
    {
      addon: "cache",
      slot: "20260501T030000000Z",
      source: { host, port },
      store,
      key: "cache/archive.tar.gz",
    },
    telling,
  );
  const { message, doneBytes = 0, estimatedBytes = 0 } = telling.told.at(-1) ?? {};
  expect(message).toBe("storing the snapshot");
  expect(estimatedBytes).toBeGreaterThan(1_000_000);
  expect(doneBytes).toBeGreaterThan(3_000_000);
  expect(doneBytes).toBeLessThan(archive.sizeBytes);
});

describeWith([smallDisk], "a disk that becomes full meanwhile", () => {
  test("is named, and what to do; nothing is left on it", async () => {
    await using program = await compileProgram();
    await using folder = await temporaryFolder();
    const [command, ...prefix] = inSmallDisk({ folder: folder.path, sizeMiB: 8 });
    const script = `
      const { randomBytes } = require("node:crypto");
      const { readdirSync, statfsSync } = require("node:fs");
      const [path, folder] = process.argv.slice(1);
      async function* content() { for (let i = 0; i < 20; i++) yield randomBytes(1_000_000); }
      require(path).spool(content(), folder, new AbortController().signal).catch((error) => {
        const { bfree, blocks } = statfsSync(folder);
        console.log(JSON.stringify({ ...error.report(), left: readdirSync(folder), free: bfree / blocks }));
      });`;
    const args = [
      ...prefix,
      process.execPath,
      "-e",
      script,
      program.path("provider/backup/spool.ts"),
      folder.path,
    ];
    const { stdout } = await promisify(execFile)(command, args);
    expect(JSON.parse(stdout)).toEqual({
      code: "scratch-full",
      operation: "keep a snapshot in",
      subject: folder.path,
      cause: "there is no room left",
      hint: "Free some space there, or let TMPDIR name a folder with more",
      transient: true,
      left: [],
      free: 1,
    });
  });
});
