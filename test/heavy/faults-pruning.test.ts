// A job that removes older backups, struck at each step of that.
import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readCatalog } from "../../provider/backup/catalog";
import { backupJob, backupOf, CATALOG, type Jobs, openJobs, startLeader } from "../support/faults";
import { expectOnlyBackups, wholeBackups } from "../support/faults-expect";
import { bucketPlace, folderPlace, type Place } from "../support/faults-places";
import type { RedisServer } from "../support/redis-server";
import { type S3Request, startS3FaultProxy } from "../support/s3-fault-proxy";
import { startVersityGw, versityGw } from "../support/s3-servers";
import { describeWith } from "../support/tools";

const never = new AbortController().signal;
const PRUNING = { retention: { keepLast: 1 } };
const isRemoval = ({ method, query }: S3Request) =>
  method === "DELETE" || (method === "POST" && query.has("delete"));

let jobs: Jobs;
let leader: RedisServer;
beforeAll(async () => {
  [jobs, leader] = await Promise.all([openJobs(), startLeader()]);
});
afterAll(async () => {
  await jobs[Symbol.asyncDispose]();
  await leader[Symbol.asyncDispose]();
});

/** At every moment there is a backup that was verified, and all that is listed opens; in the end one is left. */
async function expectNothingLost(place: Place): Promise<void> {
  const { backups } = await readCatalog(place.store, CATALOG, never);
  expect(backups.some(({ verification }) => verification === "verified")).toBe(true);
  await wholeBackups(place);
  await place.age();
  const { slot, pruneFailure } = backupOf(await jobs.run(backupJob(leader, place, PRUNING)));
  expect(pruneFailure).toBeUndefined();
  await expectOnlyBackups(place);
  expect(await wholeBackups(place)).toEqual([slot]);
}

test("in a folder, killed before each call that changes a file", async () => {
  await using place = await folderPlace();
  const countInto = join(tmpdir(), `faults-${process.pid}-pruning`);
  backupOf(await jobs.run(backupJob(leader, place, PRUNING), { countInto }));
  const withoutPruning = Number(await readFile(countInto, "utf8"));
  backupOf(await jobs.run(backupJob(leader, place, PRUNING), { countInto }));
  const calls = Number(await readFile(countInto, "utf8"));
  await rm(countInto);
  expect(calls).toBeGreaterThan(withoutPruning);
  // A few before the first removal, and some more should the count differ from run to run.
  for (let fileCall = withoutPruning - 10; fileCall <= calls + 3; fileCall++) {
    await jobs.run(backupJob(leader, place, PRUNING), { fault: { signal: "SIGKILL", fileCall } });
    await expectNothingLost(place);
  }
});

describeWith([versityGw], "in S3", () => {
  test.each(["SIGKILL", "SIGTERM"] as const)("struck by %s at each request that removes", async (signal) => {
    await using server = await startVersityGw();
    await using proxy = await startS3FaultProxy(server.endpoint);
    await using place = await bucketPlace(server, proxy.endpoint);
    backupOf(await jobs.run(backupJob(leader, place, PRUNING)));
    const before = proxy.requests.length;
    const first = backupOf(await jobs.run(backupJob(leader, place, PRUNING)));
    const removals = proxy.requests.slice(before).filter(isRemoval).length;
    expect(first.pruned).toHaveLength(1);
    for (let strikeAt = 1; strikeAt <= removals; strikeAt++) {
      let pid = 0;
      let count = 0;
      proxy.set((request) => {
        if (isRemoval(request) && ++count === strikeAt) process.kill(pid, signal);
        return undefined;
      });
      await jobs.run(backupJob(leader, place, PRUNING), { onStart: (started) => (pid = started) });
      proxy.set(() => undefined);
      await expectNothingLost(place);
    }
  });
});
