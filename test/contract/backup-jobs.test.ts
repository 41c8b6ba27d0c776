import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { appendFile, mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import {
  discardJobFolders,
  makeExtractedFolder,
  makeJobFolder,
} from "../../provider/agent/backups/job-folders";
import { awaitJob, leftoverJobs } from "../../provider/agent/backups/jobs";
import type { Clock } from "../../provider/core/task";
import { layoutOf, type HomeLayout } from "../../provider/platforms/local/home";
import { systemClock } from "../../provider/system/clock";
import { identify, isAlive } from "../../provider/system/processes";
import { type CompiledProgram, compileProgram } from "../support/compiled-program";
import { testRecord } from "../support/local-addon";
import { startRedisServer } from "../support/redis-server";
import { task, temporaryFolder } from "./backup-support";

/** A job as an agent finds it: a folder with a note, and the output so far. */
async function noteJob(layout: HomeLayout, id: string, note: object, output = ""): Promise<string> {
  const folder = join(layout.jobs, id);
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "output.ndjson"), output);
  await writeFile(join(folder, "errors.log"), "");
  await writeFile(join(folder, "job.json"), JSON.stringify(note));
  return folder;
}

const RESULT = {
  type: "result",
  outcome: "backed-up",
  slot: "20260501T030000000Z",
  archiveUrl: "file:///backups/x.tar.gz",
  sizeBytes: 1,
  takenHere: true,
  pruned: [],
};

describe("a job", () => {
  let program: CompiledProgram;
  beforeAll(async () => {
    program = await compileProgram();
  });
  afterAll(() => program[Symbol.asyncDispose]());

  it("of an earlier agent is collected before this one starts any, whoever asks first", async () => {
    await using folder = await temporaryFolder();
    await using server = await startRedisServer();
    const layout = layoutOf(join(folder.path, "home"));
    const record = testRecord({ port: server.port });
    const { replicaPassword } = record.credentials;
    await server.client.call(
      "ACL",
      "SETUSER",
      "redis-addon-capture",
      "on",
      `>${replicaPassword}`,
      "+@all",
      "~*",
    );
    await mkdir(layout.addon("cache").root, { recursive: true });
    const left = await noteJob(
      layout,
      "left",
      { addon: "cache", pid: 1, startedAt: "x" },
      `${JSON.stringify(RESULT)}\n`,
    );
    const cut = join(layout.jobs, "cut-off");
    await mkdir(cut);
    await mkdir(join(layout.jobs, "garbled"));
    await writeFile(join(layout.jobs, "garbled", "job.json"), '{"addon":');

    const { BackupRunner } = createRequire(import.meta.url)(
      program.path("provider/agent/backups/backup-runner.ts"),
    ) as typeof import("../../provider/agent/backups/backup-runner");
    const leaving = new AbortController();
    const runner = new BackupRunner(layout, systemClock, leaving.signal);
    const taken = await runner.onDemand(record, task());
    for (const gone of [left, cut]) await expect(stat(gone)).rejects.toMatchObject({ code: "ENOENT" });
    expect(taken.slot > RESULT.slot).toBe(true);
    expect(taken.archive).toContain(pathToFileURL(layout.backups).href);

    // From then on a folder without a note is a start that is under way.
    await mkdir(cut);
    const running = runner.run();
    await runner.onDemand(record, task());
    expect(await readdir(layout.jobs)).toEqual(["cut-off"]);
    leaving.abort();
    await running;
  });

  /** Sleeps take no time; what happens at certain times is told. */
  function hurried(
    onSleep: (slept: number) => Promise<void> | void = () => undefined,
  ): Clock & { slept: number } {
    const clock = {
      slept: 0,
      now: () => clock.slept,
      sleep: async (ms: number) => {
        clock.slept += ms;
        await onSleep(clock.slept);
        await new Promise((resolve) => setImmediate(resolve));
      },
    };
    return clock;
  }

  async function hanging(
    script: string,
  ): Promise<{ child: ChildProcess; noted: { pid: number; startedAt: string } }> {
    const child = spawn(
      process.execPath,
      ["-e", `${script}; setInterval(() => {}, 1000); console.log("up")`],
      {
        stdio: ["ignore", "pipe", "ignore"],
      },
    );
    if (child.stdout !== null) await once(child.stdout, "data");
    const noted = await identify(child.pid ?? 0);
    if (noted === undefined) throw new Error("it ended at once");
    return { child, noted };
  }

  it.each([
    [15, "SIGTERM", ""],
    [1, "SIGKILL", 'process.on("SIGTERM", () => {})'],
  ])(
    "that makes no progress for %i minutes is ended, by %s if need be, and has failed",
    async (minutes, signal, script) => {
      await using folder = await temporaryFolder();
      const layout = layoutOf(folder.path);
      const { child, noted } = await hanging(script);
      try {
        const ended = once(child, "exit");
        const left = await noteJob(layout, "hangs", { addon: "cache", ...noted });
        const [job] = await leftoverJobs(layout);
        if (job === undefined) throw new Error("no job");
        const clock = hurried();
        // A quarter of an hour is the default.
        const limit = minutes === 15 ? [] : ([minutes * 60_000] as const);
        await expect(awaitJob(layout, job, task({ clock }), ...limit)).rejects.toMatchObject({
          code: "job-hangs",
          subject: "cache",
          cause: expect.stringContaining(`no progress for ${minutes} minutes`),
          hint: expect.stringContaining("redis-addon backup run cache"),
          transient: true,
        });
        expect(clock.slept).toBeGreaterThanOrEqual(minutes * 60_000);
        expect((await ended)[1]).toBe(signal);
        expect(await isAlive(noted)).toBe(false);
        await expect(stat(left)).rejects.toMatchObject({ code: "ENOENT" });
      } finally {
        child.kill("SIGKILL");
      }
    },
  );

  it("that says something now and then may take as long as it likes", async () => {
    await using folder = await temporaryFolder();
    const layout = layoutOf(folder.path);
    const { child, noted } = await hanging("");
    try {
      const left = await noteJob(layout, "slow", { addon: "cache", ...noted });
      const [job] = await leftoverJobs(layout);
      if (job === undefined) throw new Error("no job");
      let lines = 0;
      const clock = hurried(async (slept) => {
        if (slept < (lines + 1) * 40_000) return;
        const line = ++lines < 2 ? { type: "progress", message: `step ${lines}` } : RESULT;
        await appendFile(join(left, "output.ndjson"), `${JSON.stringify(line)}\n`);
      });
      const waiting = task({ clock });
      await expect(awaitJob(layout, job, waiting, 60_000)).resolves.toMatchObject({ slot: RESULT.slot });
      expect(waiting.told.map(({ message }) => message)).toEqual(["step 1"]);
      expect(clock.slept).toBeGreaterThan(60_000);
    } finally {
      child.kill("SIGKILL");
    }
  });

  it("that this agent has started is no leftover until it is collected, with what it has fetched", async () => {
    await using folder = await temporaryFolder();
    const layout = layoutOf(folder.path);
    const fetched = { type: "result", outcome: "extracted", backup: "x", archiveUrl: "file:///x" };
    const results = {
      backup: RESULT,
      restore: { ...fetched, verification: "verified", warnings: [] },
    } as const;
    const left = async () => {
      expect(await leftoverJobs(layout)).toEqual([]);
      return (await readdir(layout.jobs)).sort();
    };
    for (const id of ["backup", "restore"] as const) await makeJobFolder(layout, id);
    await makeExtractedFolder(layout, "restore");
    expect(await left()).toEqual(["backup", "restore", "restore.data"]);

    const process = { pid: 1, startedAt: "ended" };
    for (const kind of ["backup", "restore"] as const) {
      await noteJob(layout, kind, {}, `${JSON.stringify(results[kind])}\n`);
      await awaitJob(layout, { id: kind, addon: "cache", kind, process }, task());
    }
    expect(await left()).toEqual(["restore.data"]);
    await discardJobFolders(layout, "restore");

    // Nothing is remembered of either: whatever is called like them from now on is somebody else's.
    for (const entry of ["backup", "restore", "restore.data"]) await mkdir(join(layout.jobs, entry));
    expect(await left()).toEqual([]);
  });
});
