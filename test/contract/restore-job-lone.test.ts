import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { gunzipSync, gzipSync } from "node:zlib";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import fc from "fast-check";
import { Header } from "tar";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encrypt } from "../../provider/backup/archive/encrypt";
import { runRestoreJob } from "../../provider/backup/jobs/run-restore";
import { asFailure } from "../../provider/core/errors";
import type { RestoreJob } from "../../provider/core/job";
import { startVersityGw, versityGw } from "../support/s3-servers";
import { describeWith } from "../support/tools";
import { sha256 } from "./archive-support";
import { task, temporaryFolder } from "./backup-support";
import { atHand, backedUp, type BackedUp, RICH } from "./verify-support";

let master: BackedUp;
let archive: Buffer;
let tar: Buffer;
beforeAll(async () => {
  master = await backedUp();
  archive = await readFile(master.archivePath);
  tar = gunzipSync(archive);
});
afterAll(() => master[Symbol.asyncDispose]());

/** An archive as a file, under a name that no store of ours gives, and a job that restores it. */
async function restorable(content: Buffer) {
  const parent = await temporaryFolder();
  const path = join(parent.path, "my backups", "of May 1st.tgz");
  await mkdir(dirname(path));
  await writeFile(path, content);
  const folder = join(parent.path, "data", "restore");
  const url = pathToFileURL(path).href;
  const job: RestoreJob = {
    kind: "restore",
    id: "job-1",
    addon: { name: "cache" },
    source: { kind: "archive", url },
    folder,
    scratchFolder: join(parent.path, "scratch"),
    proof: { servers: [atHand()] },
  };
  return {
    url,
    folder,
    run: (more: Partial<RestoreJob> = {}) => runRestoreJob({ ...job, ...more }, task()),
    failed: (more: Partial<RestoreJob> = {}) =>
      runRestoreJob({ ...job, ...more }, task()).then(
        () => undefined,
        (error: unknown) => asFailure(error, "", "").report(),
      ),
    left: () => readdir(join(parent.path, "data")),
    [Symbol.asyncDispose]: parent[Symbol.asyncDispose],
  };
}

/** Where the header of an entry begins. */
const at = (path: string) => tar.indexOf(`${path}\0`);

/** The tar with another content in the place of a file's. */
function withContent(path: string, content: Buffer): Buffer {
  const start = at(path);
  const sizeBytes = Number.parseInt(tar.toString("latin1", start + 124, start + 135), 8);
  const blocks = (bytes: number) => Math.ceil(bytes / 512) * 512;
  const head = Buffer.alloc(512);
  new Header({ path, type: "File", mode: 0o600, size: content.length }).encode(head);
  const filled = Buffer.alloc(blocks(content.length));
  content.copy(filled);
  const rest = tar.subarray(start + 512 + blocks(sizeBytes));
  return Buffer.concat([tar.subarray(0, start), head, filled, rest]);
}

test.each([
  ["as it was stored", () => archive],
  ["packed again by another gzip", () => gzipSync(tar)],
])("an archive without a manifest is proved by loading it, %s", async (_, content) => {
  await using restore = await restorable(content());
  expect(await restore.run()).toEqual({
    type: "result",
    outcome: "extracted",
    backup: "of May 1st.tgz",
    archiveUrl: restore.url,
    verification: "verified",
    counts: { keys: RICH.keys, expires: RICH.expires, highestDatabase: 3 },
    warnings: [],
  });
  expect(await restore.left()).toEqual(["restore"]);
  const { files } = master.manifest;
  for (const { path, sha256: hash } of files)
    expect(sha256(await readFile(join(restore.folder, path)))).toBe(hash);
  expect(await readdir(restore.folder, { recursive: true })).toHaveLength(files.length + 2);
});

test("an encrypted one takes its key, whatever it is called", async () => {
  const { generateX25519Identity, identityToRecipient } = await import("age-encryption");
  const [identity, other] = await Promise.all([generateX25519Identity(), generateX25519Identity()]);
  const recipients = [await identityToRecipient(identity)];
  const { bytes } = await encrypt(Readable.from([archive], { objectMode: false }), { recipients });
  await using restore = await restorable(await buffer(Readable.from(bytes)));
  const source = { kind: "archive", url: restore.url } as const;
  expect(await restore.failed()).toMatchObject({ code: "needs-key", subject: "cache" });
  const wrong = { ...source, key: { identities: [other] } };
  expect(await restore.failed({ source: wrong })).toMatchObject({ code: "wrong-key" });
  expect(await restore.left()).toEqual([]);
  const right = { ...source, key: { identities: [identity] } };
  expect(await restore.run({ source: right })).toMatchObject({ verification: "verified" });
});

describe("refused, with nothing left behind", () => {
  test.each<[string, string, RegExp, () => Buffer]>([
    ["no archive", "backup-damaged", /it is no whole gzip file/, () => Buffer.from("hello")],
    ["an empty file", "backup-damaged", /ends before the end that a tar marks/, () => Buffer.alloc(0)],
    ["one that was cut", "backup-damaged", /no whole gzip file/, () => archive.subarray(0, -100)],
    [
      "one that was cut between two entries and packed again",
      "backup-damaged",
      /ends before the end that a tar marks/,
      () => gzipSync(tar.subarray(0, at("appendonlydir/"))),
    ],
    [
      "one that was cut between two entries, packed again with a tar's end",
      "backup-damaged",
      /it lacks appendonlydir\//,
      () => gzipSync(Buffer.concat([tar.subarray(0, at("appendonlydir/")), Buffer.alloc(1024)])),
    ],
    [
      "a snapshot that does not load",
      "backup-damaged",
      /redis-check-rdb says|does not load it/,
      () => {
        const flipped = Buffer.from(tar);
        const inside = at("dump.rdb") + 512 + 1000;
        flipped.writeUInt8(flipped.readUInt8(inside) ^ 1, inside);
        return gzipSync(flipped);
      },
    ],
    [
      "no snapshot",
      "backup-damaged",
      /its dump.rdb is no snapshot/,
      () => gzipSync(withContent("dump.rdb", Buffer.from("FLUSHALL"))),
    ],
    [
      "an append-only file that holds commands",
      "backup-damaged",
      /incr\.aof has 4 bytes in it, more than it may have/,
      () => gzipSync(withContent("appendonlydir/appendonly.aof.1.incr.aof", Buffer.from("*1\r\n"))),
    ],
    [
      "an append-only folder that leads elsewhere",
      "backup-damaged",
      /does not name its snapshot/,
      () =>
        gzipSync(
          withContent(
            "appendonlydir/appendonly.aof.manifest",
            Buffer.from("file ../../x.rdb seq 1 type b\n"),
          ),
        ),
    ],
    [
      "a file too many, which leads out of the folder",
      "backup-damaged",
      /none of its own: "\.\.\/out"/,
      () => {
        const head = Buffer.alloc(512);
        new Header({ path: "../out", type: "File", mode: 0o600, size: 0 }).encode(head);
        return gzipSync(Buffer.concat([head, tar]));
      },
    ],
    [
      "a snapshot larger than any disk, by what its tar says",
      "too-little-disk",
      /take 8\.0 TiB on the disk, and it has \d/,
      () => {
        const head = Buffer.alloc(512);
        new Header({ path: "dump.rdb", type: "File", mode: 0o600, size: 8 * 1024 ** 4 }).encode(head);
        return gzipSync(Buffer.concat([head, tar]));
      },
    ],
  ])("%s", async (_, code, cause, content) => {
    await using restore = await restorable(content());
    expect(await restore.failed()).toMatchObject({
      code,
      operation: "restore",
      subject: "cache",
      cause: expect.stringMatching(cause),
    });
    expect(await restore.left()).toEqual([]);
  });

  test("what no server here loads, before the most of it is read", async () => {
    await using restore = await restorable(archive);
    const servers = [{ path: atHand().path, version: "6.2.0" }];
    expect(await restore.failed({ proof: { servers } })).toMatchObject({ code: "snapshot-format" });
    expect(await restore.left()).toEqual([]);
  });

  test("what isn't there, and what is no place", async () => {
    await using restore = await restorable(archive);
    const missing = { kind: "archive", url: `${restore.url}x` } as const;
    expect(await restore.failed({ source: missing })).toMatchObject({ code: "not-found", subject: "cache" });
    const odd = { kind: "archive", url: "https://example.org/x.tar.gz" } as const;
    expect(await restore.failed({ source: odd })).toMatchObject({ code: "unsupported-destination" });
  });
});

test("a flipped bit anywhere is damage, or changes no file", async () => {
  await fc.assert(
    fc.asyncProperty(fc.nat(archive.length - 1), fc.nat(7), async (place, bit) => {
      const flipped = Buffer.from(archive);
      flipped[place] = (flipped[place] ?? 0) ^ (1 << bit);
      await using restore = await restorable(flipped);
      const failure = await restore.failed();
      if (failure !== undefined) expect(failure.code).toBe("backup-damaged");
      else
        for (const { path, sha256: hash } of master.manifest.files)
          expect(sha256(await readFile(join(restore.folder, path)))).toBe(hash);
    }),
    { numRuns: 40 },
  );
});

describeWith([versityGw], "an object of a bucket", () => {
  test.each(["mine.tar.gz", "deep/in/the/bucket/mine.tar.gz"])("is restored: %s", async (key) => {
    await using server = await startVersityGw();
    const { bucket, client, endpoint, region, accessKeyId, secretAccessKey } = server;
    await client.send(new PutObjectCommand({ Bucket: bucket, Key: key, Body: archive }));
    await using restore = await restorable(archive);
    const url = `s3://${bucket}/${key}`;
    const credentials = { accessKeyId, secretAccessKey };
    const at = `${url}?endpoint=${endpoint}&region=${region}`;
    expect(await restore.run({ source: { kind: "archive", url: at, credentials } })).toMatchObject({
      backup: "mine.tar.gz",
      archiveUrl: url,
      verification: "verified",
    });
  });
});
