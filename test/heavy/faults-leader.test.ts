// Faults that take a minute each, or many of a kind.
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readManifest } from "../../provider/backup/catalog";
import { runBackupJob } from "../../provider/backup/jobs/run-backup";
import { startFaultProxy } from "../support/fault-proxy";
import { backupJob, backupOf, CATALOG, failureOf, type Jobs, openJobs, startLeader } from "../support/faults";
import { expectFineLeader, expectOnlyBackups, wholeBackups } from "../support/faults-expect";
import { bucketPlace, namesIn, folderPlace } from "../support/faults-places";
import type { RedisServer } from "../support/redis-server";
import { startS3FaultProxy } from "../support/s3-fault-proxy";
import { startVersityGw, versityGw } from "../support/s3-servers";
import { describeWith } from "../support/tools";
import { task } from "../contract/backup-support";

let jobs: Jobs;
let leader: RedisServer;
beforeAll(async () => {
  [jobs, leader] = await Promise.all([openJobs(), startLeader({ randomMiB: 9 })]);
});
afterAll(async () => {
  await jobs[Symbol.asyncDispose]();
  await leader[Symbol.asyncDispose]();
});

const WAYS = [
  ["from memory", false],
  ["from disk", true],
] as const;

describe("a link to the leader", () => {
  test.each(WAYS)(
    "that is cut anywhere while a snapshot comes %s leaves nothing, or all",
    async (_, fromDisk) => {
      await using place = await folderPlace();
      await using proxy = await startFaultProxy(leader.port);
      const job = backupJob({ ...leader, port: proxy.port }, place, { fromDisk, unproved: true });
      const { slot } = backupOf(await jobs.run(job));
      const { rdb } = await readManifest(place.store, CATALOG, slot, new AbortController().signal);
      let whole = 1;
      const cut = fc.record({
        // A handshake is some 3 KB long; what follows a snapshot is no part of it.
        cutAfterBytes: fc.oneof(
          fc.integer({ min: 0, max: 6_000 }),
          fc.integer({ min: 0, max: rdb.sizeBytes + 10_000 }),
          fc.integer({ min: rdb.sizeBytes - 100, max: rdb.sizeBytes + 10_000 }),
        ),
        cut: fc.constantFrom("end" as const, "reset" as const),
      });
      await fc.assert(
        fc.asyncProperty(cut, async (fromServer) => {
          proxy.set({ fromServer });
          const failed = await runBackupJob(job, `cut${fromServer.cutAfterBytes}`, task()).then(
            () => undefined,
            (error: unknown) => error,
          );
          if (failed === undefined) whole++;
          else expect(failed).toMatchObject({ operation: "back up", subject: "cache", transient: true });
        }),
        { numRuns: 100 },
      );
      expect(await wholeBackups(place)).toHaveLength(whole);
      await expectOnlyBackups(place);
      expect(await namesIn(place.scratch)).toEqual([]);
      await expectFineLeader(leader);
    },
  );

  test.each(WAYS)(
    "that falls silent while a snapshot comes %s is given up after a minute",
    async (_, fromDisk) => {
      await using place = await folderPlace();
      await using proxy = await startFaultProxy(leader.port);
      const job = backupJob({ ...leader, port: proxy.port }, place, { fromDisk });
      // So that there is a middle.
      proxy.set({ fromServer: { delayMs: 10 } });
      const stalled = await jobs.run(job, {
        onLine: (line) => {
          if (line.type === "progress" && line.message === "receiving the snapshot")
            proxy.set({ fromServer: { stall: true } });
        },
      });
      const { code, cause, transient } = failureOf(stalled);
      expect({ code, transient }).toEqual({ code: "leader-unreachable", transient: true });
      expect(cause).toContain("it sent nothing for 60 s");
      proxy.set({});
      expect(await place.everything()).toEqual([]);
      await expectFineLeader(leader);
      expect(backupOf(await jobs.run(job))).toMatchObject({ verification: { outcome: "verified" } });
    },
  );
});

describeWith([versityGw], "a store in S3 that has gone for good", () => {
  test.each(["before anything", "in the middle of the archive", "before the manifest"])(
    "%s fails the job within two minutes",
    async (when) => {
      await using server = await startVersityGw();
      await using proxy = await startS3FaultProxy(server.endpoint);
      await using place = await bucketPlace(server, proxy.endpoint);
      let gone = when === "before anything";
      proxy.set(({ query, path }) => {
        if (when === "in the middle of the archive" && query.has("partNumber")) gone = true;
        if (when === "before the manifest" && path.endsWith("Z.json")) gone = true;
        return gone ? { kind: "reset", when: "before" } : undefined;
      });
      const began = Date.now();
      const run = await jobs.run(backupJob(leader, place));
      expect(failureOf(run)).toMatchObject({ code: "unreachable", subject: "cache", transient: true });
      expect(Date.now() - began).toBeLessThan(120_000);
      await expectFineLeader(leader);
      proxy.set(() => undefined);
      await place.age();
      backupOf(await jobs.run(backupJob(leader, place)));
      await expectOnlyBackups(place);
      expect(await wholeBackups(place)).toHaveLength(1);
    },
  );
});
