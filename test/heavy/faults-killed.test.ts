// Every step of a job at which it can be struck, in every kind of place; the contract tier has a choice of them.
import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { tmpdir } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { backupJob, backupOf, failureOf, type Jobs, openJobs, startLeader, stepsOf } from "../support/faults";
import {
  expectFineLeader,
  expectNobodyIn,
  expectOnlyBackups,
  expectRecovery,
  wholeBackups,
} from "../support/faults-expect";
import { bucketPlace, namesIn, folderPlace, type Place } from "../support/faults-places";
import type { RedisServer } from "../support/redis-server";
import { startS3FaultProxy } from "../support/s3-fault-proxy";
import { startVersityGw, versityGw } from "../support/s3-servers";
import { describeWith } from "../support/tools";

let jobs: Jobs;
let leader: RedisServer;
/** With values enough for an upload in parts. */
let largeLeader: RedisServer;
beforeAll(async () => {
  [jobs, leader, largeLeader] = await Promise.all([openJobs(), startLeader(), startLeader({ randomMiB: 9 })]);
});
afterAll(async () => {
  await jobs[Symbol.asyncDispose]();
  await leader[Symbol.asyncDispose]();
  await largeLeader[Symbol.asyncDispose]();
});

const WAYS = [
  ["from memory", false],
  ["from disk", true],
] as const;

/** At each step that such a job tells: killed, and told to stop. */
async function strikeAtEachStep(source: RedisServer, fromDisk: boolean, place: Place): Promise<void> {
  const job = backupJob(source, place, { fromDisk });
  const whole = await jobs.run(job);
  backupOf(whole);
  for (const message of stepsOf(whole)) {
    const killed = await jobs.run(job, { fault: { signal: "SIGKILL", message } });
    expect({ message, code: killed.code }).toEqual({ message, code: null });
    await expectRecovery(jobs, source, place);
    const stopped = await jobs.run(job, { fault: { signal: "SIGTERM", message } });
    // What had only to be tidied is a success; anything else says that it was told to stop.
    if (stopped.code !== 0)
      expect(failureOf(stopped)).toMatchObject({ code: "stopped", subject: "cache", transient: true });
    await expectNobodyIn(place.scratch);
    expect(await namesIn(place.scratch)).toEqual([]);
    await expectOnlyBackups(place);
    await wholeBackups(place);
    await expectFineLeader(source);
  }
}

describe("a job that stores in a folder", () => {
  test.each(WAYS)("recovers from each step %s", async (_, fromDisk) => {
    await using place = await folderPlace();
    await strikeAtEachStep(leader, fromDisk, place);
  });

  test.each(WAYS)("recovers from kill -9 before each call that changes a file, %s", async (_, fromDisk) => {
    await using place = await folderPlace();
    const job = backupJob(leader, place, { fromDisk });
    const countInto = join(tmpdir(), `faults-${process.pid}-count`);
    backupOf(await jobs.run(job, { countInto }));
    const calls = Number(await readFile(countInto, "utf8"));
    await rm(countInto);
    expect(calls).toBeGreaterThan(20);
    for (let fileCall = 1; fileCall <= calls; fileCall++) {
      await jobs.run(job, { fault: { signal: "SIGKILL", fileCall } });
      // All that was struck since lies there together.
      if (fileCall % 8 === 0 || fileCall === calls) await expectRecovery(jobs, leader, place);
    }
  });

  test.each(WAYS)("leaves nothing when it is told to stop before each such call, %s", async (_, fromDisk) => {
    await using place = await folderPlace();
    const job = backupJob(leader, place, { fromDisk });
    for (let fileCall = 1; ; fileCall++) {
      const run = await jobs.run(job, { fault: { signal: "SIGTERM", fileCall } });
      if (run.code === 0 && backupOf(run).pruneFailure === undefined) break;
      expect(await namesIn(place.scratch)).toEqual([]);
      await expectOnlyBackups(place);
    }
    await expectNobodyIn(place.scratch);
    await expectRecovery(jobs, leader, place);
  });
});

describeWith([versityGw], "a job that stores in S3", () => {
  test.each(WAYS)("recovers from each step %s", async (_, fromDisk) => {
    await using server = await startVersityGw();
    await using place = await bucketPlace(server);
    await strikeAtEachStep(largeLeader, fromDisk, place);
  });

  test.each(["SIGKILL", "SIGTERM"] as const)("recovers from %s at each request", async (signal) => {
    await using server = await startVersityGw();
    await using proxy = await startS3FaultProxy(server.endpoint);
    await using place = await bucketPlace(server, proxy.endpoint);
    const job = backupJob(largeLeader, place);
    backupOf(await jobs.run(job));
    const requests = proxy.requests.length;
    expect(requests).toBeGreaterThan(15);
    for (let strikeAt = 1; strikeAt <= requests; strikeAt++) {
      let pid = 0;
      let count = 0;
      proxy.set(() => {
        if (++count === strikeAt) process.kill(pid, signal);
        return undefined;
      });
      await jobs.run(job, { onStart: (started) => (pid = started) });
      proxy.set(() => undefined);
      expect(count).toBeGreaterThanOrEqual(strikeAt);
      if (signal === "SIGTERM") {
        expect(await namesIn(place.scratch)).toEqual([]);
        await expectOnlyBackups(place);
      }
      if (strikeAt % 8 === 0 || strikeAt === requests)
        await expectRecovery(jobs, largeLeader, place, [server.secretAccessKey]);
    }
  });
});
