import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { RedisServer } from "../support/redis-server";
import { backupJob, backupOf, failureOf, type Jobs, openJobs, startLeader } from "../support/faults";
import {
  expectFineLeader,
  expectNobodyIn,
  expectOnlyBackups,
  expectRecovery,
  wholeBackups,
} from "../support/faults-expect";
import { bucketPlace, namesIn, folderPlace } from "../support/faults-places";
import { MOMENTS, STEPS, stepsFor, striking } from "../support/faults-moments";
import { startS3FaultProxy } from "../support/s3-fault-proxy";
import { startVersityGw, versityGw } from "../support/s3-servers";
import { describeWith } from "../support/tools";

let jobs: Jobs;
let leader: RedisServer;
beforeAll(async () => {
  // A second part of a stored archive begins after 8 MiB.
  [jobs, leader] = await Promise.all([openJobs(), startLeader({ randomMiB: 9 })]);
});
afterAll(async () => {
  await jobs[Symbol.asyncDispose]();
  await leader[Symbol.asyncDispose]();
});

test("kill -9 at each step that a job tells leaves backups that open, or none, and the next job clears up", async () => {
  await using place = await folderPlace();
  for (const message of stepsFor(leader)) {
    const run = await jobs.run(backupJob(leader, place), { fault: { signal: "SIGKILL", message } });
    expect({ message, code: run.code, last: run.last }).toMatchObject({ code: null, last: { message } });
  }
  // As one is left that is killed in the moment when it makes the file that a snapshot waits in.
  await mkdir(join(place.scratch, "redis-addon-spool-AbCdEf"));
  await expectRecovery(jobs, leader, place);
});

test("a scheduled backup whose verification was killed is verified by the next job, which finds nothing due", async () => {
  await using place = await folderPlace();
  const since = new Date(Date.now() - 3 * 86_400_000).toISOString();
  const reason = { kind: "scheduled", schedule: { every: "1d" }, since } as const;
  const job = { ...backupJob(leader, place), reason };
  const killed = await jobs.run(job, { fault: { signal: "SIGKILL", message: STEPS.loading } });
  expect(killed.code).toBe(null);
  const marks = async () => (await place.everything()).filter((name) => name.endsWith(".verified.json"));
  expect(await marks()).toEqual([]);
  const { last } = await jobs.run(job);
  expect(await marks()).toHaveLength(1);
  // Whoever ticks hears of it, or it would take the add-on's backups for overdue.
  const newestVerified = (await marks())[0]?.split("/").at(-1)?.split(".")[0];
  expect(last).toEqual({ type: "result", outcome: "not-due", newestVerified });
  expect(await namesIn(place.scratch)).toEqual([]);
});

test.each([
  ["from memory", STEPS.receiving],
  ["from memory", STEPS.storing],
  ["from memory", STEPS.loading],
  ["from disk", STEPS.receiving],
])("SIGTERM %s while it is %s ends a job that leaves nothing", async (from, message) => {
  await using place = await folderPlace();
  const job = backupJob(leader, place, { fromDisk: from === "from disk" });
  const run = await jobs.run(job, { fault: { signal: "SIGTERM", message } });
  expect(run.code).toBe(1);
  expect(failureOf(run)).toMatchObject({
    code: "stopped",
    operation: "back up",
    subject: "cache",
    transient: true,
  });
  await expectNobodyIn(place.scratch);
  expect(await namesIn(place.scratch)).toEqual([]);
  await expectOnlyBackups(place);
  // Stored it was already.
  expect(await wholeBackups(place)).toHaveLength(message === STEPS.loading ? 1 : 0);
  await expectFineLeader(leader);
});

describeWith([versityGw], "a job that stores in S3", () => {
  test("and is killed at each kind of request leaves backups that open, or none, and the next job clears up", async () => {
    await using server = await startVersityGw();
    await using proxy = await startS3FaultProxy(server.endpoint);
    await using place = await bucketPlace(server, proxy.endpoint);
    for (const moment of MOMENTS) {
      const strike = striking(proxy, moment, "SIGKILL");
      const run = await jobs.run(backupJob(leader, place, { unproved: true }), { onStart: strike.onStart });
      expect({ moment: moment.name, struck: strike.struck(), code: run.code }).toEqual({
        moment: moment.name,
        struck: true,
        code: null,
      });
    }
    proxy.set(() => undefined);
    // What an upload has left, and what nobody vouches for.
    expect((await place.everything()).some((name) => name.startsWith(".sgwtmp/"))).toBe(true);
    await expectRecovery(jobs, leader, place, [server.secretAccessKey]);
  });

  test.each(
    MOMENTS.filter(({ name }) =>
      /^the first question$|^an upload's begin|^a part|^the manifest, done/.test(name),
    ),
  )("and is told to stop at $name leaves nothing but what is whole", async (moment) => {
    await using server = await startVersityGw();
    await using proxy = await startS3FaultProxy(server.endpoint);
    await using place = await bucketPlace(server, proxy.endpoint);
    const strike = striking(proxy, moment, "SIGTERM");
    const run = await jobs.run(backupJob(leader, place, { unproved: true }), { onStart: strike.onStart });
    // Of one that is stored it says so, and that it removed no others.
    if (moment.isStored) expect(backupOf(run).pruneFailure).toMatchObject({ code: "stopped" });
    else expect(failureOf(run)).toMatchObject({ code: "stopped", subject: "cache", transient: true });
    await expectOnlyBackups(place);
    expect(await wholeBackups(place)).toHaveLength(moment.isStored ? 1 : 0);
  });
});
