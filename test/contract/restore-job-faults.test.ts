import { createHash } from "node:crypto";
import { mkdir, readFile, rm, utimes } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readCatalog, readManifest, storeTimeOf } from "../../provider/backup/catalog";
import { isHeld } from "../../provider/backup/dead";
import type { Extracted, RestoreJob } from "../../provider/core/job";
import {
  backupJob,
  backupOf,
  CATALOG,
  failureOf,
  type JobRun,
  type Jobs,
  openJobs,
  startLeader,
} from "../support/faults";
import { expectNobodyIn } from "../support/faults-expect";
import { bucketPlace, folderPlace, namesIn, type Place } from "../support/faults-places";
import { inSmallDisk, smallDisk } from "../support/full-disk";
import type { RedisServer } from "../support/redis-server";
import { startS3FaultProxy } from "../support/s3-fault-proxy";
import { startVersityGw, versityGw } from "../support/s3-servers";
import { describeWith } from "../support/tools";
import { task, temporaryFolder } from "./backup-support";
import { atHand } from "./verify-support";

let jobs: Jobs;
let leader: RedisServer;
beforeAll(async () => {
  [jobs, leader] = await Promise.all([openJobs(), startLeader({ randomMiB: 9 })]);
});
afterAll(async () => {
  await jobs[Symbol.asyncDispose]();
  await leader[Symbol.asyncDispose]();
});

/** A backup in a place, and a job that restores it. */
async function restorable(place: Place) {
  const { slot } = backupOf(await jobs.run(backupJob(leader, place, { unproved: true })));
  const parent = await temporaryFolder();
  const folder = join(parent.path, "restore");
  const job: RestoreJob = {
    kind: "restore",
    id: "job-1",
    addon: { name: "cache" },
    source: {
      kind: "backup",
      destination: place.url,
      catalogKey: CATALOG,
      slot,
      ...(place.credentials === undefined ? {} : { credentials: place.credentials }),
    },
    folder,
    scratchFolder: join(parent.path, "scratch"),
    proof: { servers: [atHand()] },
  };
  return {
    job,
    slot,
    folder,
    parent: parent.path,
    left: () => namesIn(parent.path),
    [Symbol.asyncDispose]: parent[Symbol.asyncDispose],
  };
}

function extractedOf({ last, output }: JobRun): Extracted {
  if (last?.type !== "result" || last.outcome !== "extracted")
    throw new Error(`nothing extracted:\n${output}`);
  return last;
}

/** Every file is what the manifest says. */
async function expectWhole(place: Place, slot: string, folder: string): Promise<void> {
  const { files } = await readManifest(place.store, CATALOG, slot, task().signal);
  for (const { path, sha256 } of files) {
    const hash = createHash("sha256").update(await readFile(join(folder, path)));
    expect({ path, sha256: hash.digest("hex") }).toEqual({ path, sha256 });
  }
}

/** Nobody may keep a backup for ever because whoever restored it was killed. */
async function expectNotHeld(place: Place, slot: string): Promise<void> {
  await place.age();
  const catalog = await readCatalog(place.store, CATALOG, task().signal);
  const storeTime = await storeTimeOf(place.store, CATALOG, catalog, task());
  const listed = catalog.backups.find(({ name }) => name === slot);
  expect(listed && isHeld(listed, storeTime)).toBe(false);
}

const STEPS = [
  "fetching the backup",
  "checking the snapshot",
  "loading it with a scratch server, redis-server",
  "loading it with a scratch server, redis-server ./redis.conf",
] as const;

test("kill -9 at each step that it tells leaves no folder, and the next one clears up and succeeds", async () => {
  await using place = await folderPlace();
  await using restore = await restorable(place);
  for (const message of STEPS) {
    const run = await jobs.run(restore.job, { fault: { signal: "SIGKILL", message } });
    expect({ message, code: run.code, last: run.last }).toMatchObject({ code: null, last: { message } });
    await expectNobodyIn(restore.parent);
    expect(await restore.left()).toEqual([expect.stringMatching(/^redis-addon-verify-/)]);
  }
  expect(extractedOf(await jobs.run(restore.job))).toMatchObject({ verification: "verified", warnings: [] });
  await expectWhole(place, restore.slot, restore.folder);
  expect(await restore.left()).toEqual(["restore"]);
  await expectNotHeld(place, restore.slot);
});

test("kill -9 while it makes the folder durable leaves it whole, or not there", async () => {
  await using place = await folderPlace();
  await using restore = await restorable(place);
  await using scratch = await temporaryFolder();
  const countInto = join(scratch.path, "calls");
  await jobs.run(restore.job, { countInto });
  const calls = Number(await readFile(countInto, "utf8"));
  expect(calls).toBeGreaterThan(20);
  const whole: boolean[] = [];
  // The last ones: the folder is synchronised, renamed, and let go.
  for (let fileCall = calls; fileCall > calls - 14; fileCall -= 2) {
    await rm(restore.folder, { recursive: true, force: true });
    const run = await jobs.run(restore.job, { fault: { signal: "SIGKILL", fileCall } });
    const isThere = (await restore.left()).includes("restore");
    if (run.code === null) whole.push(isThere);
    if (isThere) await expectWhole(place, restore.slot, restore.folder);
  }
  expect(new Set(whole)).toEqual(new Set([true, false]));
  await rm(restore.folder, { recursive: true, force: true });
  // One that was killed before it had said whose the folder is.
  const unmarked = join(restore.parent, "redis-addon-verify-AbCdEf");
  await mkdir(unmarked);
  await utimes(unmarked, 0, 0);
  extractedOf(await jobs.run(restore.job));
  expect(await restore.left()).toEqual(["restore"]);
});

test.each(STEPS)("SIGTERM while it is %s ends it, and nothing is left", async (message) => {
  await using place = await folderPlace();
  await using restore = await restorable(place);
  const before = await place.everything();
  const run = await jobs.run(restore.job, { fault: { signal: "SIGTERM", message } });
  expect(failureOf(run)).toMatchObject({ code: "stopped", operation: "restore", subject: "cache" });
  await expectNobodyIn(restore.parent);
  expect(await restore.left()).toEqual([]);
  // The backup isn't held any more.
  expect(await place.everything()).toEqual(before);
});

describeWith([smallDisk], "a disk that is too small", () => {
  test("is told with both figures before anything is fetched", async () => {
    await using place = await folderPlace();
    await using restore = await restorable(place);
    const run = await jobs.run(restore.job, { prefix: inSmallDisk({ folder: restore.parent, sizeMiB: 8 }) });
    expect(failureOf(run)).toMatchObject({
      code: "too-little-disk",
      operation: "restore",
      subject: "cache",
      cause: expect.stringMatching(
        /the backup's files take 2\d\.\d MiB on the disk, and it has \d\.\d MiB left/,
      ),
    });
    expect(run.lines.map((line) => (line.type === "progress" ? line.message : ""))).not.toContain(STEPS[0]);
  });
});

test("a disk that fills up meanwhile is told, and nothing is left", async () => {
  await using place = await folderPlace();
  await using restore = await restorable(place);
  const run = await jobs.run(restore.job, { prefix: ["prlimit", "--fsize=5000000"] });
  expect(failureOf(run)).toMatchObject({ code: "no-space", operation: "restore", subject: "cache" });
  expect(await restore.left()).toEqual([]);
  await expectNotHeld(place, restore.slot);
});

describeWith([versityGw], "a backup in S3", () => {
  async function inBucket() {
    await using cleanUp = new AsyncDisposableStack();
    const server = cleanUp.use(await startVersityGw());
    const proxy = cleanUp.use(await startS3FaultProxy(server.endpoint));
    const place = cleanUp.use(await bucketPlace(server, proxy.endpoint));
    const restore = cleanUp.use(await restorable(place));
    const owned = cleanUp.move();
    return { proxy, place, ...restore, [Symbol.asyncDispose]: () => owned.disposeAsync() };
  }
  const isArchive = ({ method, path }: { method: string; path: string }) =>
    method === "GET" && path.endsWith(".tar.gz");

  test("is fetched although its connection is reset in the middle", async () => {
    await using bucket = await inBucket();
    let resets = 0;
    bucket.proxy.set((request) =>
      isArchive(request) && resets++ < 2 ? { kind: "reset", when: "in-answer" } : undefined,
    );
    expect(extractedOf(await jobs.run(bucket.job))).toMatchObject({ verification: "verified", warnings: [] });
    expect(resets).toBeGreaterThan(2);
    await expectWhole(bucket.place, bucket.slot, bucket.folder);
  });

  test("that comes damaged once is read again", async () => {
    await using bucket = await inBucket();
    let reads = 0;
    bucket.proxy.set((request) =>
      isArchive(request) && reads++ === 0 ? { kind: "corrupt", atByte: 1_000_000 } : undefined,
    );
    expect(extractedOf(await jobs.run(bucket.job))).toMatchObject({
      verification: "verified",
      warnings: [expect.stringMatching(/^The store gave other bytes/)],
    });
    expect(await bucket.left()).toEqual(["restore"]);
  });

  test("that may only be read is restored, with a word about its removal", async () => {
    await using bucket = await inBucket();
    const denied = `<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>no</Message></Error>`;
    bucket.proxy.set(({ method }) =>
      ["PUT", "POST", "DELETE"].includes(method) ? { kind: "answer", status: 403, body: denied } : undefined,
    );
    expect(extractedOf(await jobs.run(bucket.job))).toMatchObject({
      verification: "verified",
      warnings: [expect.stringMatching(/could not be held against its removal/)],
    });
  });

  test("that is killed while it is read leaves nothing that the next one doesn't clear up", async () => {
    await using bucket = await inBucket();
    const run = await jobs.run(bucket.job, { fault: { signal: "SIGKILL", message: STEPS[0] } });
    expect(run.code).toBe(null);
    extractedOf(await jobs.run(bucket.job));
    expect(await bucket.left()).toEqual(["restore"]);
    await expectNotHeld(bucket.place, bucket.slot);
  });
});
