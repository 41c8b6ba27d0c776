// Two machines with an add-on's name and one catalog in a bucket: they tick at the same slots, each prunes while the other
// one stores and somebody restores, and any of them may be killed on the way.
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readCatalog } from "../../provider/backup/catalog";
import type { RestoreJob } from "../../provider/core/job";
import type { Retention } from "../../provider/core/retention";
import { formatSlot } from "../../provider/core/slot";
import { atHand } from "../contract/verify-support";
import {
  backupJob,
  CATALOG,
  failureOf,
  type JobRun,
  type Jobs,
  openJobs,
  startLeader,
} from "../support/faults";
import { expectNobodyIn, expectOnlyBackups, wholeBackups } from "../support/faults-expect";
import { bucketPlace } from "../support/faults-places";
import type { RedisServer } from "../support/redis-server";
import { type S3Request, startS3FaultProxy } from "../support/s3-fault-proxy";
import { startVersityGw, type VersityGw, versityGw } from "../support/s3-servers";
import { describeWith } from "../support/tools";
import { keptByModel } from "../unit/retention-model";

const never = new AbortController().signal;
const HOUR = 3_600_000;
const EVERY = 12 * HOUR;
const ROUNDS = 10;
const RETENTION: Retention = { keepLast: 2, daily: 3 };
const SLOTS = Array.from(
  { length: ROUNDS },
  (_, n) => Math.floor(Date.now() / EVERY) * EVERY - (ROUNDS - n) * EVERY,
);

const changes = ({ method }: S3Request) => method !== "GET" && method !== "HEAD";
const readsArchive = ({ method, path }: S3Request) => method === "GET" && path.endsWith(".tar.gz");

let jobs: Jobs;
let leader: RedisServer;
beforeAll(async () => {
  [jobs, leader] = await Promise.all([openJobs(), startLeader()]);
});
afterAll(async () => {
  await jobs[Symbol.asyncDispose]();
  await leader[Symbol.asyncDispose]();
});

/** A way to the store that one job uses at a time, which may be killed at a request of its. */
async function wayTo(server: VersityGw) {
  const proxy = await startS3FaultProxy(server.endpoint);
  let pid = 0;
  return {
    url: (direct: string) => direct.replace(server.endpoint, proxy.endpoint),
    onStart: (started: number) => void (pid = started),
    /** Before the store sees the so-manyth of these requests; 0: never. */
    killAt(isOne: (request: S3Request) => boolean, nth: number) {
      let count = 0;
      proxy.set((request) => {
        if (!isOne(request)) return undefined;
        if (++count === nth) process.kill(pid, "SIGKILL");
        // So that the others come in between.
        return { kind: "delay", delayMs: 20 };
      });
    },
    [Symbol.asyncDispose]: () => proxy[Symbol.asyncDispose](),
  };
}

describeWith([versityGw], "two machines with one catalog in S3", () => {
  test("take each slot once, lose none that is kept, and leave nothing else, whoever is killed", async () => {
    await using server = await startVersityGw();
    await using place = await bucketPlace(server);
    await using cleanUp = new AsyncDisposableStack();
    const ways = await Promise.all([wayTo(server), wayTo(server), wayTo(server)]);
    for (const way of ways) cleanUp.use(way);
    const [one, other, reader] = ways;
    const folder = await mkdtemp(join(tmpdir(), "two-machines-"));
    cleanUp.defer(() => rm(folder, { recursive: true, force: true }));

    const tick = (way: typeof one, name: string, slot: number): Promise<JobRun> => {
      const schedule = { every: "12h" };
      const since = new Date((SLOTS[0] ?? 0) - 1).toISOString();
      const at = { ...place, url: way.url(place.url), scratch: join(folder, name) };
      const job = backupJob(leader, at, {
        reason: { kind: "scheduled", schedule, since },
        retention: RETENTION,
      });
      return jobs.run(job, { clockAheadMs: slot + HOUR - Date.now(), onStart: way.onStart });
    };
    const slotsNow = async () =>
      (await readCatalog(place.store, CATALOG, never)).backups.map(({ slot }) => slot);
    const restore = async (round: number): Promise<void> => {
      const [oldest] = await slotsNow();
      if (oldest === undefined) return;
      const job: RestoreJob = {
        kind: "restore",
        id: "restore",
        addon: { name: "cache" },
        source: {
          kind: "backup",
          destination: reader.url(place.url),
          catalogKey: CATALOG,
          slot: formatSlot(oldest),
          ...(place.credentials === undefined ? {} : { credentials: place.credentials }),
        },
        folder: join(folder, `restored-${round}`),
        scratchFolder: join(folder, "reader"),
        proof: { servers: [atHand()] },
      };
      const run = await jobs.run(job, { onStart: reader.onStart });
      if (run.code === null) return;
      if (run.last?.type === "result") {
        const rdb = await readFile(join(job.folder, "dump.rdb"));
        expect(rdb.subarray(0, 5).toString()).toBe("REDIS");
      } else expect(["no-such-backup", "not-found"]).toContain(failureOf(run).code);
    };

    for (const [round, slot] of SLOTS.entries()) {
      const isLast = round === ROUNDS - 1;
      if (isLast) await place.age();
      // The first round and the last are quiet; in turn each machine is killed one request later than before.
      const nth = isLast ? 0 : round;
      one.killAt(changes, round % 2 === 0 ? nth : 0);
      other.killAt(changes, round % 2 === 0 ? 0 : nth);
      reader.killAt(readsArchive, round % 3 === 0 && !isLast ? 1 : 0);
      const runs = await Promise.all([tick(one, "one", slot), tick(other, "other", slot), restore(round)]);
      const ended = runs.flatMap((run) => (run === undefined || run.code === null ? [] : [run]));
      const results = ended.map(({ last, output }) => {
        if (last?.type !== "result") throw new Error(output);
        return last;
      });
      const taken = results.flatMap((result) => (result.outcome === "backed-up" ? [result] : []));
      expect(taken.filter(({ takenHere }) => takenHere).length).toBeLessThanOrEqual(1);
      expect(taken.map((result) => [result.slot, result.pruneFailure])).toEqual(
        taken.map(() => [formatSlot(slot), undefined]),
      );
      expect(ended.length).toBeGreaterThan(0);
      const listed = await slotsNow();
      expect(listed.at(-1)).toBe(slot);
      // None that the retention keeps was lost to a race.
      expect(listed).toEqual(expect.arrayContaining(keptOf(SLOTS.slice(0, round + 1))));
      await wholeBackups(place);
    }
    expect(await slotsNow()).toEqual(keptOf(SLOTS));
    await expectOnlyBackups(place);
    await expectNobodyIn(folder);
  }, 600_000);
});

/** What stays of these, by the words of the retention. */
function keptOf(slots: readonly number[]): number[] {
  const now = (slots.at(-1) ?? 0) + HOUR;
  const all = slots.map((slot) => ({ slot, pinned: false, verification: "verified" as const }));
  const keeps = keptByModel(all, RETENTION, { now, createdAt: undefined });
  return slots.filter((_, index) => keeps[index]);
}
