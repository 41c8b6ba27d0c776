import { randomBytes } from "node:crypto";
import { execFile } from "node:child_process";
import { chmod, mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { backupJob, backupOf, CATALOG, failureOf, type Jobs, openJobs, startLeader } from "../support/faults";
import { expectFineLeader, wholeBackups } from "../support/faults-expect";
import { bucketPlace, namesIn, folderPlace } from "../support/faults-places";
import { inSmallDisk, seenBy, smallDisk } from "../support/full-disk";
import { findRedisServer, type RedisServer } from "../support/redis-server";
import { startVersityGw, versityGw } from "../support/s3-servers";
import { describeWith } from "../support/tools";
import { temporaryFolder } from "./backup-support";

let jobs: Jobs;
let leader: RedisServer;
beforeAll(async () => {
  [jobs, leader] = await Promise.all([openJobs(), startLeader({ randomMiB: 12 })]);
  // The command line looks for the package that it is a part of.
  await symlink(join(import.meta.dirname, "../../package.json"), jobs.program.path("package.json"));
});
afterAll(async () => {
  await jobs[Symbol.asyncDispose]();
  await leader[Symbol.asyncDispose]();
});

/** Runs a program where a folder is a disk of its own, and then tells on standard error which files are left there. */
const onSmallDisk = (folder: string, sizeMiB: number) => [
  ...inSmallDisk({ folder, sizeMiB }),
  ...["sh", "-c", '"$@"; code=$?; find "$0" -type f -exec echo LEFT {} + >&2; exit $code', folder],
];

describeWith([smallDisk], "a disk of ours that is too small", () => {
  test.each([true, false])(
    "for the archive fails the job, and keeps nothing of it (the leader writes to its disk: %s)",
    async (fromDisk) => {
      await using place = await folderPlace();
      const root = fileURLToPath(place.url);
      await mkdir(root);
      const job = backupJob(leader, place, { fromDisk });
      const run = await jobs.run(job, { prefix: onSmallDisk(root, 8) });
      expect(run.code).toBe(1);
      expect(failureOf(run)).toMatchObject({
        code: "no-space",
        operation: "back up",
        subject: "cache",
        cause: expect.stringMatching(/cannot write .*: the disk is full$/),
        hint: "Free some space on it",
        transient: true,
      });
      expect(run.output).not.toContain("LEFT");
      await expectFineLeader(leader);
      expect(await namesIn(place.scratch)).toEqual([]);
    },
  );

  test("for a snapshot of unknown size fails the job, and keeps nothing of it", async () => {
    await using place = await folderPlace();
    await mkdir(place.scratch);
    const run = await jobs.run(backupJob(leader, place), { prefix: onSmallDisk(place.scratch, 8) });
    expect(run.code).toBe(1);
    expect(failureOf(run)).toMatchObject({
      code: "scratch-full",
      subject: "cache",
      cause: expect.stringContaining(place.scratch),
    });
    expect(run.output).not.toContain("LEFT");
    await expectFineLeader(leader);
    expect(await place.everything()).toEqual([]);
  });

  test("for the copy that is verified leaves the backup, checked byte by byte, and says why it was not loaded", async () => {
    await using place = await folderPlace();
    await mkdir(place.scratch);
    const run = await jobs.run(backupJob(leader, place, { fromDisk: true }), {
      prefix: onSmallDisk(place.scratch, 8),
    });
    expect(backupOf(run).verification).toMatchObject({
      outcome: "structure-checked",
      why: expect.stringMatching(
        /^extracting it takes \d+ MiB, and the scratch folder has only \d+ MiB free$/,
      ),
    });
    expect(run.output).not.toContain("LEFT");
    expect(await wholeBackups(place)).toHaveLength(1);
  });
});

describeWith([versityGw], "a file size limit that the verified copy exceeds", () => {
  test("leaves the backup in S3, unmarked, and says why nobody looked", async () => {
    await using server = await startVersityGw();
    await using place = await bucketPlace(server);
    const job = backupJob(leader, place, { fromDisk: true });
    const taken = backupOf(await jobs.run(job, { prefix: ["prlimit", "--fsize=5000000"] }));
    expect(taken.verification).toBeUndefined();
    expect(taken.warnings).toEqual([expect.stringMatching(/^it could not be verified: cannot /)]);
    expect(await namesIn(place.scratch)).toEqual([]);
    expect((await place.everything()).filter((name) => /damaged|checked|verified/.test(name))).toEqual([]);
    expect(await wholeBackups(place)).toEqual([taken.slot]);
  });
});

test.each(["--to", "--extract"])(
  "a file size limit that a download %s exceeds is named, and nothing is left",
  async (how) => {
    await using place = await folderPlace();
    const job = backupJob(leader, place, { fromDisk: true, unproved: true });
    const { slot } = backupOf(await jobs.run(job));
    await using folder = await temporaryFolder();
    const cli = [process.execPath, jobs.program.path("provider/cli/main.ts")];
    const download = [
      "backup",
      "download",
      CATALOG,
      slot,
      "--store",
      place.url,
      how,
      join(folder.path, "copy"),
    ];
    const env = {
      PATH: process.env["PATH"],
      HOME: place.scratch,
      REDIS_ADDON_HOME: join(place.scratch, "home"),
    };
    const run = promisify(execFile)("prlimit", ["--fsize=5000000", ...cli, ...download], { env });
    await expect(run).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(
        /^redis-addon: cannot .*the file is larger than this file system or process may write/m,
      ),
    });
    expect(await readdir(folder.path)).toEqual([]);
  },
);

describeWith([smallDisk], "a leader whose disk is too small for its data", () => {
  /** With 30 MB of data on a disk of 24 MiB. */
  async function crowded(args: readonly string[]) {
    const folder = await temporaryFolder();
    const wrapper = join(folder.path, "server");
    const prefix = inSmallDisk({ folder: folder.path, sizeMiB: 24 }).map((part) => `'${part}'`);
    const command = `exec ${prefix.join(" ")} '${findRedisServer()}' "$@" --dir '${folder.path}'`;
    await writeFile(wrapper, `#!/bin/sh\n${command}\n`);
    await chmod(wrapper, 0o755);
    const server = await startLeader({ args }, { executable: wrapper });
    for (let key = 0; key < 30; key++) await server.client.set(`big:${key}`, randomBytes(1_000_000));
    return {
      server,
      dir: seenBy(server.pid, folder.path),
      [Symbol.asyncDispose]: async () => {
        await server[Symbol.asyncDispose]();
        await folder[Symbol.asyncDispose]();
      },
    };
  }

  test("is backed up all the same where it is ours: straight from its memory, and it takes writes", async () => {
    await using crowd = await crowded(["--save", "", "--appendonly", "no"]);
    await using place = await folderPlace();
    let writes = 0;
    let running = true;
    const writing = (async () => {
      while (running) writes += (await crowd.server.client.set("during", String(writes))) === "OK" ? 1 : 0;
    })();
    const job = backupJob({ port: crowd.server.port, dir: crowd.dir }, place, { fromDisk: true });
    const run = await jobs.run(job);
    running = false;
    await writing;
    expect(backupOf(run)).toMatchObject({ verification: { outcome: "verified" } });
    expect(writes).toBeGreaterThan(100);
    await expectFineLeader(crowd.server);
  });

  test("is refused before it forks where it would write there, and what happens where that is accepted is told", async () => {
    await using crowd = await crowded(["--save", "3600 1000000", "--repl-diskless-sync", "no"]);
    const { server } = crowd;
    await using place = await folderPlace();
    await server.client.call("ACL", "SETUSER", "taker", "+config|get");
    const job = backupJob(server, place);
    expect(failureOf(await jobs.run(job))).toMatchObject({
      code: "leader-would-use-disk",
      subject: "cache",
      hint: expect.stringContaining("CONFIG SET repl-diskless-sync yes"),
    });
    expect(await server.client.info("stats")).toContain("total_forks:0");
    const accepted = await jobs.run({ ...job, source: { ...job.source, acceptDisk: true } });
    expect(failureOf(accepted)).toMatchObject({
      code: "no-snapshot",
      subject: "cache",
      hint: expect.stringContaining("a full disk"),
      transient: true,
    });
    expect(await place.everything()).toEqual([]);
    expect(await namesIn(place.scratch)).toEqual([]);
  });
});
