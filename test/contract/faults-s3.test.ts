import { afterAll, beforeAll, expect, test } from "vitest";
import { prune } from "../../provider/backup/prune";
import { takeBackup } from "../../provider/backup/take-backup";
import { verifyBackup } from "../../provider/backup/verify/verify-backup";
import { captureSource } from "../../provider/backup/source";
import type { Store } from "../../provider/stores/contract";
import {
  backupJob,
  backupOf,
  CATALOG,
  failureOf,
  type Jobs,
  openJobs,
  PASSWORD,
  startLeader,
} from "../support/faults";
import { expectFineLeader, expectNoSecrets, expectOnlyBackups, wholeBackups } from "../support/faults-expect";
import { bucketPlace, namesIn } from "../support/faults-places";
import type { RedisServer } from "../support/redis-server";
import { type S3Fault, type S3Request, startS3FaultProxy } from "../support/s3-fault-proxy";
import { startVersityGw, versityGw } from "../support/s3-servers";
import { describeWith } from "../support/tools";
import { task } from "./backup-support";
import { impatient, openOn } from "./store-s3-support";
import { atHand } from "./verify-support";

let jobs: Jobs;
let leader: RedisServer;
beforeAll(async () => {
  // A second part of a stored archive begins after 8 MiB; of what came in parts a store knows no whole checksum.
  [jobs, leader] = await Promise.all([openJobs(), startLeader({ randomMiB: 9 })]);
});
afterAll(async () => {
  await jobs[Symbol.asyncDispose]();
  await leader[Symbol.asyncDispose]();
});

async function faulty() {
  const server = await startVersityGw();
  const proxy = await startS3FaultProxy(server.endpoint);
  const place = await bucketPlace(server, proxy.endpoint);
  return {
    server,
    proxy,
    place,
    async [Symbol.asyncDispose]() {
      await place[Symbol.asyncDispose]();
      await proxy[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}
type Faulty = Awaited<ReturnType<typeof faulty>>;

const isRead = ({ method, path }: S3Request) => method === "GET" && path.endsWith(".tar.gz");
const isList = ({ method, query }: S3Request) => method === "GET" && query.has("list-type");
const isWrite = ({ method, path }: S3Request) => method === "PUT" && !path.includes("probe");

const verify = ({ place, server }: Faulty, slot: string, store?: Store) =>
  verifyBackup(
    {
      store: store ?? place.store,
      catalogKey: CATALOG,
      slot,
      scratchFolder: place.scratch,
      servers: [atHand()],
    },
    task(),
  ).finally(() => expect(server.log()).not.toContain("panic"));

describeWith(
  [versityGw],
  "a backup, its verification and its pruning in a store that is out of order",
  () => {
    test.each<[string, S3Fault, ((request: S3Request) => boolean)?]>([
      ["says 503 twice to everything", { kind: "slow-down" }],
      ["is slow", { kind: "delay", delayMs: 30 }],
      ["resets each connection before it answers", { kind: "reset", when: "before" }],
      ["resets each connection while it is told", { kind: "reset", when: "in-request" }, isWrite],
      ["resets each connection in the middle of its answer", { kind: "reset", when: "in-answer" }],
      [
        "answers 200 with an error",
        { kind: "error-body" },
        (request) => request.method !== "GET" || isList(request),
      ],
      ["loses each answer once: to the upload's end and to the manifest as well", { kind: "lose-answer" }],
    ])("succeed where it %s", async (_, fault, concerns = () => true) => {
      await using given = await faulty();
      const { proxy, place, server } = given;
      const times = fault.kind === "slow-down" ? 2 : 1;
      proxy.set((request) => (request.nth <= times && concerns(request) ? fault : undefined));
      const taken = backupOf(await jobs.run(backupJob(leader, place)));
      expect(taken).toMatchObject({ verification: { outcome: "verified" }, warnings: [] });
      expect(taken.pruneFailure).toBeUndefined();
      expect(proxy.requests.filter((request) => request.fault !== undefined).length).toBeGreaterThan(3);
      proxy.set(() => undefined);
      expect(await wholeBackups(place)).toEqual([taken.slot]);
      // An upload whose begin nobody heard of is left until it is a day old.
      await place.age();
      await prune(
        place.store,
        { catalogKey: CATALOG, createdAt: "2020-01-01T00:00:00.000Z" },
        undefined,
        undefined,
        task(),
      );
      await expectOnlyBackups(place);
      await expectNoSecrets([PASSWORD, server.secretAccessKey], jobs.said());
    });

    test("fail after a bounded number of attempts where it has gone for good in the middle, and leave the leader alone", async () => {
      await using given = await faulty();
      const { proxy, place, server } = given;
      proxy.set(({ query }) => (query.has("partNumber") ? ((gone = true), GONE) : gone ? GONE : undefined));
      let gone = false;
      const store = await openOn(server, proxy.endpoint, { prefix: new URL(place.url).pathname.slice(1) });
      const told = task({ clock: impatient() });
      const request = {
        addon: { name: "cache", catalogKey: CATALOG },
        source: captureSource(backupJob(leader, place).source),
        reason: "demand" as const,
        slot: Date.now(),
        attempt: "aaaa",
        store,
        scratchFolder: place.scratch,
      };
      await expect(takeBackup(request, told)).rejects.toMatchObject({ code: "unreachable", transient: true });
      expect(proxy.requests.length).toBeLessThan(80);
      await expectFineLeader(leader);
      expect(await namesIn(place.scratch)).toEqual([]);
      // It comes back: what nobody could remove is removed a day later, and the next backup is none the worse.
      proxy.set(() => undefined);
      const next = backupOf(await jobs.run(backupJob(leader, place)));
      expect(await wholeBackups(place)).toEqual([next.slot]);
      await place.age();
      await jobs.run(backupJob(leader, place, { unproved: true }));
      await expectOnlyBackups(place);
    });

    test("don't call a backup damaged, nor mark it, because the store fails or reads wrongly once", async () => {
      await using given = await faulty();
      const { proxy, place, server } = given;
      const { slot } = backupOf(await jobs.run(backupJob(leader, place)));
      const before = await place.everything();
      const store = await openOn(server, proxy.endpoint, { prefix: new URL(place.url).pathname.slice(1) });
      for (const fault of [{ kind: "slow-down" }, { kind: "reset", when: "in-answer" }, GONE] as const) {
        proxy.set((request) => (isRead(request) ? fault : undefined));
        await expect(verify(given, slot, store)).rejects.toMatchObject({ transient: true });
      }
      let reads = 0;
      proxy.set((request) =>
        isRead(request) && ++reads === 1 ? { kind: "corrupt", atByte: 5_000_000 } : undefined,
      );
      await expect(verify(given, slot, store)).rejects.toMatchObject({
        code: "store-unreliable",
        transient: true,
        cause: expect.stringContaining("read again"),
      });
      expect(await place.everything()).toEqual(before);
      expect(await wholeBackups(place)).toEqual([slot]);
    });

    test("find what always reads back wrongly damaged: the job fails, keeps nothing of it, and the next one succeeds", async () => {
      await using given = await faulty();
      const { proxy, place } = given;
      const first = backupOf(await jobs.run(backupJob(leader, place)));
      proxy.set((request) => (isRead(request) ? { kind: "corrupt", atByte: 5_000_000 } : undefined));
      const run = await jobs.run(backupJob(leader, place, { retention: { keepLast: 1 } }));
      expect(run.code).toBe(1);
      expect(failureOf(run)).toMatchObject({
        code: "backup-damaged",
        subject: "cache",
        cause: expect.stringContaining("not those that were written"),
        hint: expect.stringContaining("redis-addon backup run cache"),
      });
      proxy.set(() => undefined);
      await expectOnlyBackups(place);
      expect(await wholeBackups(place)).toEqual([first.slot]);
      const next = backupOf(await jobs.run(backupJob(leader, place, { retention: { keepLast: 1 } })));
      expect(next.pruned).toEqual([first.slot]);
      expect(await wholeBackups(place)).toEqual([next.slot]);
    });

    test("are good where the old ones can't be removed: that is told, and the next job does it", async () => {
      await using given = await faulty();
      const { proxy, place } = given;
      const only = { retention: { keepLast: 1 }, unproved: true };
      const first = backupOf(await jobs.run(backupJob(leader, place, only)));
      proxy.set(({ method, path, query }) =>
        (method === "DELETE" && path.includes(first.slot)) || (method === "POST" && query.has("delete"))
          ? { kind: "error-body", code: "AccessDenied" }
          : undefined,
      );
      const second = backupOf(await jobs.run(backupJob(leader, place, only)));
      expect(second.pruned).toEqual([]);
      expect(second.pruneFailure).toMatchObject({ operation: "remove" });
      proxy.set(() => undefined);
      expect(await wholeBackups(place)).toEqual([first.slot, second.slot]);
      const third = backupOf(await jobs.run(backupJob(leader, place, only)));
      expect(third.pruned).toContain(first.slot);
      await expectOnlyBackups(place);
    });
  },
);

const GONE = { kind: "reset", when: "before" } as const;
