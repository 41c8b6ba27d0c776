import { mkdir, utimes, writeFile } from "node:fs/promises";
import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readCatalog } from "../../provider/backup/catalog";
import { deleteBackup } from "../../provider/backup/delete-backup";
import { runVerifyJob } from "../../provider/backup/jobs/run-verify";
import type { VerifyJob } from "../../provider/core/job";
import {
  backupJob,
  backupOf,
  CATALOG,
  failureOf,
  type Jobs,
  openJobs,
  SCHEDULED,
  startLeader,
} from "../support/faults";
import { expectOnlyBackups, wholeBackups } from "../support/faults-expect";
import { bucketPlace, folderPlace, type Place } from "../support/faults-places";
import { STEPS } from "../support/faults-moments";
import { type RedisServer, until } from "../support/redis-server";
import { startS3FaultProxy } from "../support/s3-fault-proxy";
import { startVersityGw, versityGw } from "../support/s3-servers";
import { describeWith } from "../support/tools";
import { task } from "./backup-support";
import { atHand } from "./verify-support";

const never = new AbortController().signal;
const YEAR_MS = 365 * 24 * 60 * 60_000;

let jobs: Jobs;
let leader: RedisServer;
beforeAll(async () => {
  [jobs, leader] = await Promise.all([openJobs(), startLeader({ randomMiB: 9 })]);
});
afterAll(async () => {
  await jobs[Symbol.asyncDispose]();
  await leader[Symbol.asyncDispose]();
});

const slotsOf = async ({ store }: Place) =>
  (await readCatalog(store, CATALOG, never)).backups.map(({ name }) => name);

const verifyJob = (place: Place, slot: string): VerifyJob => ({
  kind: "verify",
  id: "job-2",
  addon: { name: "cache", catalogKey: CATALOG },
  destination: place.url,
  ...(place.credentials === undefined ? {} : { credentials: place.credentials }),
  slot,
  scratchFolder: place.scratch,
  proof: { servers: [atHand()] },
});

/** Two machines that finish one slot: both succeed, both tell of the one backup, and nothing else is left. */
async function race(place: Place): Promise<void> {
  const job = backupJob(leader, place, { ...SCHEDULED, unproved: true });
  const runs = await Promise.all([jobs.run(job), jobs.run({ ...job, scratchFolder: `${place.scratch}-2` })]);
  const [one, other] = runs.map(backupOf);
  expect(one?.archiveUrl).toBe(other?.archiveUrl);
  expect(runs.filter((run) => backupOf(run).takenHere)).toHaveLength(1);
  expect(await wholeBackups(place)).toEqual([one?.slot]);
  await expectOnlyBackups(place);
}

test("two machines that race for one slot in a folder leave one backup, of which both tell", async () => {
  await using place = await folderPlace();
  await race(place);
});

test("a clock that is a year ahead and then right again costs no backup that it should not, and backups go on", async () => {
  await using place = await folderPlace();
  const job = backupJob(leader, place, { ...SCHEDULED, unproved: true });
  const daily = async (clockAheadMs: number) => backupOf(await jobs.run(job, { clockAheadMs }));
  const right = [await daily(-24 * 3_600_000), await daily(0)];
  const ahead = await daily(YEAR_MS);
  expect(ahead.pruned).toEqual([]);
  // It is right again: the one from the future neither stops backups nor goes, and the old ones stay.
  const none = await jobs.run(job, { clockAheadMs: 0 });
  expect(none.last).toEqual({ type: "result", outcome: "not-due" });
  const tomorrow = await daily(24 * 3_600_000);
  // A year behind all there is, it goes on as well.
  const behind = await daily(-YEAR_MS);
  expect([tomorrow.pruned, behind.pruned]).toEqual([[], []]);
  const slots = [behind, ...right, tomorrow, ahead].map(({ slot }) => slot);
  expect(await slotsOf(place)).toEqual(slots);
  // Looked at in the wrong year.
  const looked = await jobs.run(verifyJob(place, tomorrow.slot), { clockAheadMs: YEAR_MS });
  expect(looked.last).toMatchObject({ outcome: "looked-at", verification: { outcome: "verified" } });
  expect(await wholeBackups(place)).toEqual(slots);
});

test("a machine whose clock is a year ahead takes nothing for dead that another one is writing", async () => {
  await using place = await folderPlace();
  const folder = join(fileURLToPath(place.url), CATALOG);
  await mkdir(folder, { recursive: true });
  // Under way on the other machine: a file that has no name yet, and an archive whose manifest is about to come.
  const underWay = [".20260501T030000000Z-b.tar.gz.1234.tmp", "20260501T030000000Z-b.tar.gz"];
  for (const name of underWay) await writeFile(join(folder, name), "data");
  const job = backupJob(leader, place, { unproved: true });
  const wrong = backupOf(await jobs.run(job, { clockAheadMs: YEAR_MS }));
  expect(wrong.pruneFailure).toBeUndefined();
  const left = async () => (await place.everything()).filter((name) => name.includes("20260501"));
  expect(await left()).toHaveLength(2);
  // Two days later by the disk's own clock they are dead.
  const then = new Date(Date.now() - 2 * 24 * 3_600_000);
  for (const name of underWay) await utimes(join(folder, name), then, then);
  backupOf(await jobs.run(job));
  expect(await left()).toEqual([]);
});

describe("a verification of a backup that is removed meanwhile", () => {
  test("fails because there is no such backup, and leaves nothing beside it", async () => {
    await using place = await folderPlace();
    const { slot, archiveUrl } = backupOf(await jobs.run(backupJob(leader, place, { unproved: true })));
    const archive = fileURLToPath(archiveUrl);
    const removing = task({
      progress: ({ message }) => {
        if (message !== STEPS.loading) return;
        rmSync(join(dirname(archive), `${slot}.json`), { force: true });
        rmSync(archive, { force: true });
      },
    });
    await expect(runVerifyJob(verifyJob(place, slot), removing)).rejects.toMatchObject({
      code: "no-such-backup",
      subject: "cache",
      cause: expect.stringContaining("it was removed while it was verified"),
    });
    expect(await place.everything()).toEqual([]);
  });
});

describeWith([versityGw], "in S3", () => {
  async function opened() {
    const server = await startVersityGw();
    const proxy = await startS3FaultProxy(server.endpoint);
    const place = await bucketPlace(server, proxy.endpoint);
    return {
      proxy,
      place,
      async [Symbol.asyncDispose]() {
        await place[Symbol.asyncDispose]();
        await proxy[Symbol.asyncDispose]();
        await server[Symbol.asyncDispose]();
      },
    };
  }

  test("two machines that race for one slot leave one backup, of which both tell", async () => {
    await using given = await opened();
    // Neither is told of the other's manifest before it has written its archive.
    given.proxy.set(({ path }) => (path.endsWith("Z.json") ? { kind: "delay", delayMs: 300 } : undefined));
    await race(given.place);
  });

  test("a pruning by a clock that is a year ahead costs no upload that is under way", async () => {
    await using given = await opened();
    const { proxy, place } = given;
    let parts = 0;
    proxy.set(({ query }) =>
      query.has("partNumber") && ++parts <= 2 ? { kind: "delay", delayMs: 4_000 } : undefined,
    );
    const slow = jobs.run(backupJob(leader, place));
    await until("parts to be on their way", () => parts > 0);
    const hasty = backupOf(
      await jobs.run(backupJob(leader, place, { unproved: true, retention: { keepLast: 1 } }), {
        clockAheadMs: YEAR_MS,
      }),
    );
    expect(hasty.pruneFailure).toBeUndefined();
    expect(backupOf(await slow)).toMatchObject({ verification: { outcome: "verified" } });
    expect(await wholeBackups(place)).toHaveLength(2);
  });

  test("a verification of a backup that is deleted before its archive is read is no damage", async () => {
    await using given = await opened();
    const { proxy, place } = given;
    const { slot } = backupOf(await jobs.run(backupJob(leader, place, { unproved: true })));
    let deleted: Promise<void> | undefined;
    proxy.set(({ method, path }) => {
      if (method !== "GET" || !path.endsWith(".tar.gz")) return undefined;
      deleted ??= deleteBackup(place.store, CATALOG, slot, {}, task());
      return { kind: "delay", delayMs: 1_000 };
    });
    const run = await jobs.run(verifyJob(place, slot));
    await deleted;
    expect(failureOf(run)).toMatchObject({ code: "no-such-backup", subject: "cache" });
    expect(await place.everything()).toEqual([]);
  });
});
