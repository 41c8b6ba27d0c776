import { randomBytes } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import type { Progress } from "../../provider/core/task";
import { readBackupState } from "../../provider/platforms/local/process-state";
import { layoutOf } from "../../provider/platforms/local/home";
import { provision } from "../support/provision";
import { creates, eventually, makeTestHome, SMALL, type TestHome } from "../support/data-home";
import { expectNobodyIn } from "../support/faults-expect";
import { filesBelow } from "../support/faults-places";
import { STEPS } from "../support/faults-moments";

/** An add-on with data that take a moment to back up. */
async function filled(home: TestHome): Promise<string> {
  const record = await provision(
    home.platform,
    { name: "cache", claim: creates("t1"), wish: SMALL, given: ["plan"] },
    home.task,
  );
  const { password } = record.credentials;
  const redis = new Redis({ port: record.server.wish.port, password });
  for (let mib = 0; mib < 8; mib++) await redis.set(`random:${mib}`, randomBytes(1024 * 1024));
  redis.disconnect();
  return record.catalogKey;
}

/** The process of the one job that runs. */
async function jobPid({ path }: TestHome): Promise<number> {
  const { jobs } = layoutOf(path);
  return eventually("the job's note", async () => {
    const [id = ""] = await readdir(jobs);
    const text = await readFile(join(jobs, id, "job.json"), "utf8").catch(() => undefined);
    return text !== undefined && (JSON.parse(text) as { readonly pid: number }).pid;
  });
}

/** Asks the agent for a backup, and does something once its job tells a step for the first time. */
async function backUpUntil(home: TestHome, message: string, strike: () => Promise<void>) {
  let struck: Promise<void> | undefined;
  const { signal, clock } = home.task;
  const progress = (step: Progress) => {
    if (step.message === message) struck ??= strike();
  };
  try {
    return await home.platform.backUp("cache", { signal, clock, progress });
  } finally {
    await struck;
  }
}

const backupsOf = async (home: TestHome, catalogKey: string) =>
  (await filesBelow(join(home.path, "backups", catalogKey))).filter((name) => /^\w+Z\.json$/.test(name));

test("an agent tells that its job was killed, removes what it left, and takes the next backup", async () => {
  await using home = await makeTestHome();
  const catalogKey = await filled(home);
  const { jobs } = layoutOf(home.path);
  let whole = 0;
  for (const [message, isStored] of [
    [STEPS.receiving, false],
    [STEPS.loading, true],
  ] as const) {
    const killed = backUpUntil(home, message, async () => void process.kill(await jobPid(home), "SIGKILL"));
    await expect(killed).rejects.toMatchObject({ code: "job-killed", subject: "cache", transient: true });
    await eventually("the job's folder to be gone", async () => (await readdir(jobs)).length === 0);
    await expectNobodyIn(jobs);
    expect(await readBackupState(layoutOf(home.path).addon("cache"))).toMatchObject({ outcome: "failed" });
    // A job that is killed by chance a step later has left more than it told.
    whole = (await backupsOf(home, catalogKey)).length;
    if (isStored) expect(whole).toBeGreaterThan(0);
  }
  const taken = await home.platform.backUp("cache", home.task);
  expect(taken.verification).toMatchObject({ outcome: "verified" });
  expect(await backupsOf(home, catalogKey)).toHaveLength(whole + 1);
});

test("when agent and job are killed together, the next agent takes the backup that was asked for", async () => {
  await using home = await makeTestHome();
  const catalogKey = await filled(home);
  const { jobs } = layoutOf(home.path);
  const asked = backUpUntil(home, STEPS.receiving, async () => {
    const [job, agent] = await Promise.all([jobPid(home), home.agentPid()]);
    process.kill(agent, "SIGKILL");
    process.kill(job, "SIGKILL");
  });
  const { slot, verification } = await asked;
  expect(verification).toMatchObject({ outcome: "verified" });
  expect(await backupsOf(home, catalogKey)).toContain(`${slot}.json`);
  await eventually("the killed job's folder to be gone", async () => (await readdir(jobs)).length === 0);
});
