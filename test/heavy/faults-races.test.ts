import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readCatalog } from "../../provider/backup/catalog";
import { prune } from "../../provider/backup/prune";
import { deleteBackup } from "../../provider/backup/delete-backup";
import { runVerifyJob } from "../../provider/backup/jobs/run-verify";
import { backupJob, backupOf, CATALOG, type Jobs, openJobs, SCHEDULED, startLeader } from "../support/faults";
import { expectOnlyBackups, wholeBackups } from "../support/faults-expect";
import { bucketPlace, folderPlace, type Place } from "../support/faults-places";
import type { RedisServer } from "../support/redis-server";
import { startVersityGw, versityGw } from "../support/s3-servers";
import { describeWith } from "../support/tools";
import { task } from "../contract/backup-support";
import { atHand } from "../contract/verify-support";

const ROUNDS = 20;
const never = new AbortController().signal;

let jobs: Jobs;
let leader: RedisServer;
beforeAll(async () => {
  [jobs, leader] = await Promise.all([openJobs(), startLeader()]);
});
afterAll(async () => {
  await jobs[Symbol.asyncDispose]();
  await leader[Symbol.asyncDispose]();
});

/** Three machines want one slot, each verifies what it took. */
async function race(place: Place): Promise<void> {
  const job = backupJob(leader, place, SCHEDULED);
  const runs = await Promise.all(
    [1, 2, 3].map((machine) => jobs.run({ ...job, scratchFolder: `${place.scratch}-${machine}` })),
  );
  // One that looked when another had finished finds nothing to do.
  const taken = runs
    .filter(({ last }) => !(last?.type === "result" && last.outcome === "not-due"))
    .map(backupOf);
  expect(new Set(taken.map(({ archiveUrl }) => archiveUrl)).size).toBe(1);
  expect(taken.filter(({ takenHere }) => takenHere)).toHaveLength(1);
  expect(await wholeBackups(place)).toHaveLength(1);
  await expectOnlyBackups(place);
}

/** Retention, deletions and verifications at once: of those that stay each is whole, of the others nothing is left. */
async function jostle(place: Place): Promise<void> {
  const addon = { catalogKey: CATALOG, createdAt: "2020-01-01T00:00:00.000Z" };
  const job = backupJob(leader, place, { unproved: true });
  for (let count = 0; count < 4; count++) backupOf(await jobs.run(job));
  const { backups } = await readCatalog(place.store, CATALOG, never);
  const verifying = backups.map(({ name }) =>
    runVerifyJob(
      {
        kind: "verify",
        id: "v",
        addon: { name: "cache", catalogKey: CATALOG },
        destination: place.url,
        ...(place.credentials === undefined ? {} : { credentials: place.credentials }),
        slot: name,
        scratchFolder: place.scratch,
        proof: { servers: [atHand()] },
      },
      task(),
    ),
  );
  const removing = [
    prune(place.store, addon, { keepLast: 2 }, undefined, task()),
    prune(place.store, addon, { keepLast: 2 }, undefined, task()),
    deleteBackup(place.store, CATALOG, backups[0]?.name ?? "", { evenNewestVerified: true }, task()),
  ];
  const running = jobs.run(job);
  const verified = await Promise.allSettled(verifying);
  await Promise.allSettled(removing);
  const { slot } = backupOf(await running);
  for (const result of verified)
    if (result.status === "fulfilled")
      expect(result.value).toMatchObject({ verification: { outcome: "verified" } });
    else expect(result.reason).toMatchObject({ code: expect.stringMatching(/^(no-such-backup|not-found)$/) });
  const left = await wholeBackups(place);
  expect(left).toContain(slot);
  expect(left).toEqual(expect.arrayContaining(backups.slice(-2).map(({ name }) => name)));
  const { orphans } = await readCatalog(place.store, CATALOG, never);
  // A result that was written as its backup went vouches for nobody, and goes like all that is left behind.
  await place.age();
  await prune(place.store, addon, { keepLast: 3 }, undefined, task());
  backupOf(await jobs.run(job));
  await expectOnlyBackups(place);
  expect(orphans.every(({ key }) => !key.endsWith(".tar.gz"))).toBe(true);
}

describe("in a folder", () => {
  test("three machines leave one backup of a slot, in each of many rounds", async () => {
    for (let round = 0; round < ROUNDS; round++) {
      await using place = await folderPlace();
      await race(place);
    }
  });

  test("who removes, verifies and backs up at once loses nothing", async () => {
    for (let round = 0; round < ROUNDS / 2; round++) {
      await using place = await folderPlace();
      await jostle(place);
    }
  });
});

describeWith([versityGw], "in S3", () => {
  test("three machines leave one backup of a slot, in each of many rounds", async () => {
    await using server = await startVersityGw();
    for (let round = 0; round < ROUNDS; round++) {
      await using place = await bucketPlace(server);
      await race(place);
    }
  });

  test("who removes, verifies and backs up at once loses nothing", async () => {
    await using server = await startVersityGw();
    for (let round = 0; round < ROUNDS / 2; round++) {
      await using place = await bucketPlace(server);
      await jostle(place);
    }
  });
});
