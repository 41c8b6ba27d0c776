import { afterAll, beforeAll, expect, test } from "vitest";
import { runBackupJob } from "../../provider/backup/jobs/run-backup";
import { readManifest } from "../../provider/backup/catalog";
import { startFaultProxy } from "../support/fault-proxy";
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
import { expectFineLeader, expectNoSecrets, wholeBackups } from "../support/faults-expect";
import { namesIn, folderPlace, type Place } from "../support/faults-places";
import { type RedisServer, until } from "../support/redis-server";
import { task, temporaryFolder } from "./backup-support";

let jobs: Jobs;
let leader: RedisServer;
beforeAll(async () => {
  [jobs, leader] = await Promise.all([openJobs(), startLeader()]);
});
afterAll(async () => {
  await jobs[Symbol.asyncDispose]();
  await leader[Symbol.asyncDispose]();
});

async function expectNothingLeft(place: Place): Promise<void> {
  expect(await place.everything()).toEqual([]);
  expect(await namesIn(place.scratch)).toEqual([]);
}

test.each([
  ["password", { password: `wrong-${PASSWORD}` }],
  ["user", { username: "nobody" }],
])("a wrong %s is tried once, and told without it", async (_, wrong) => {
  await using place = await folderPlace();
  await using proxy = await startFaultProxy(leader.port);
  const job = backupJob(leader, place);
  const run = await jobs.run({ ...job, source: { ...job.source, port: proxy.port, ...wrong } });
  expect(run.code).toBe(1);
  expect(failureOf(run)).toMatchObject({
    code: "wrong-password",
    operation: "back up",
    subject: "cache",
    transient: false,
  });
  expect(proxy.connections()).toBe(1);
  await expectNoSecrets([PASSWORD], run.output);
  await expectNothingLeft(place);
});

test.each([
  ["from memory", false],
  ["from disk", true],
])("a link that is cut anywhere while a snapshot comes %s leaves nothing", async (_, fromDisk) => {
  await using place = await folderPlace();
  await using proxy = await startFaultProxy(leader.port);
  const job = backupJob({ ...leader, port: proxy.port }, place, { fromDisk, unproved: true });
  const whole = backupOf(await jobs.run(job));
  const { rdb } = await readManifest(place.store, CATALOG, whole.slot, new AbortController().signal);
  // Up to the last byte but one: the mark that ends a snapshot from memory is longer than what this leaves out.
  for (const [index, afterBytes] of [0, 3, 40, 2_000, 10_000, rdb.sizeBytes / 2, rdb.sizeBytes].entries()) {
    proxy.set({
      fromServer: { cutAfterBytes: Math.floor(afterBytes), cut: index % 2 === 0 ? "end" : "reset" },
    });
    await expect(runBackupJob(job, `cut${index}`, task())).rejects.toMatchObject({
      operation: "back up",
      subject: "cache",
      transient: true,
    });
  }
  proxy.set({});
  await expectFineLeader(leader);
  expect(await place.everything()).toHaveLength(2);
  expect(await namesIn(place.scratch)).toEqual([]);
  backupOf(await jobs.run(job));
  expect(await wholeBackups(place)).toHaveLength(2);
});

/** Of a leader that takes a tenth of a second for each key, once its snapshot has begun. */
async function untilSnapshot(server: RedisServer): Promise<void> {
  await until("the snapshot to be under way", async () =>
    /rdb_bgsave_in_progress:1/.test(await server.client.info("persistence")),
  );
}
const SLOWLY = ["--rdb-key-save-delay", "3000"];

test.each([
  ["from memory", false],
  ["from disk", true],
])(
  "a leader that is killed while its snapshot comes %s fails the job; started again it is backed up",
  async (_, fromDisk) => {
    await using place = await folderPlace();
    await using folder = await temporaryFolder();
    await using server = await startLeader({ args: SLOWLY }, { dir: folder.path });
    const running = jobs.run(backupJob(server, place, { fromDisk }));
    await untilSnapshot(server);
    await server.stop("SIGKILL");
    const run = await running;
    expect(failureOf(run)).toMatchObject({ subject: "cache", transient: true });
    expect(failureOf(run).code).toMatch(/^(connection-cut|no-snapshot|leader-unreachable)$/);
    await expectNothingLeft(place);
    await using again = await startLeader({}, { dir: folder.path });
    backupOf(await jobs.run(backupJob(again, place, { fromDisk })));
    expect(await wholeBackups(place)).toHaveLength(1);
  },
);

test.each([
  ["from memory", false],
  ["from disk", true],
])(
  "FLUSHALL while a snapshot comes %s costs at most this backup, and the leader goes on",
  async (_, fromDisk) => {
    await using place = await folderPlace();
    await using server = await startLeader({ args: SLOWLY });
    const running = jobs.run(backupJob(server, place, { fromDisk }));
    await untilSnapshot(server);
    // Redis itself ends the child that writes the snapshot.
    await server.client.flushall();
    const run = await running;
    expect(failureOf(run)).toMatchObject({ subject: "cache", transient: true });
    expect(failureOf(run).code).toMatch(/^(connection-cut|no-snapshot)$/);
    await expectFineLeader(server);
    await expectNothingLeft(place);
    const next = backupOf(await jobs.run(backupJob(server, place, { fromDisk })));
    expect(next).toMatchObject({ keys: 1, verification: { outcome: "verified", counts: { keys: 1 } } });
  },
);
