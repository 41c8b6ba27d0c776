import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { readdir } from "node:fs/promises";
import { createInterface } from "node:readline";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type JobLine, JobLineSchema, type VerifyJob } from "../../provider/core/job";
import { type CompiledProgram, compileProgram } from "../support/compiled-program";
import { inSmallDisk, smallDisk } from "../support/full-disk";
import { until } from "../support/redis-server";
import { describeWith } from "../support/tools";
import {
  atHand,
  type BackedUp,
  backedUp,
  CATALOG,
  isEmpty,
  marks,
  processesWith,
  script,
  SLOT,
} from "./verify-support";

let program: CompiledProgram;
let backup: BackedUp;
beforeAll(async () => {
  program = await compileProgram();
  backup = await backedUp();
});
afterAll(async () => {
  await program[Symbol.asyncDispose]();
  await backup[Symbol.asyncDispose]();
});

/** Starts the job's program, told to verify; `prefix` is a program that becomes it. */
function start(servers: VerifyJob["proof"]["servers"], prefix: readonly string[] = []) {
  const [command, ...args] = [...prefix, process.execPath, program.path("provider/job/main.ts")];
  const child = spawn(command, args, {
    stdio: ["pipe", "pipe", "inherit"],
    env: { PATH: process.env["PATH"] },
  });
  const job: VerifyJob = {
    kind: "verify",
    id: "job-1",
    addon: { name: "cache", catalogKey: CATALOG },
    destination: backup.url,
    slot: SLOT,
    scratchFolder: backup.scratch,
    proof: { servers },
  };
  child.stdin.on("error", () => undefined);
  child.stdin.end(JSON.stringify(job));
  const lines: JobLine[] = [];
  createInterface(child.stdout).on("line", (line) => lines.push(JobLineSchema.parse(JSON.parse(line))));
  return { child, lines, [Symbol.asyncDispose]: () => kill(child) };
}

/** A job whose server loads so slowly, a second for each key, that it will not finish while a test lasts. */
async function startSlow() {
  const { path, version } = atHand();
  await using cleanUp = new AsyncDisposableStack();
  const slow = cleanUp.use(
    await script(`[ $# -gt 1 ] && exec ${path} "$@" --key-load-delay 1000000; exit 2`),
  );
  const { child } = cleanUp.use(start([{ path: slow.path, version }]));
  const title = `unixsocket:${backup.scratch}`;
  await until("a server that loads", async () => (await processesWith(title)).length > 0);
  const owned = cleanUp.move();
  return { child, [Symbol.asyncDispose]: () => owned.disposeAsync() };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const exited = once(child, "exit");
  child.kill("SIGKILL");
  await exited;
}

const nobodyLeft = () =>
  until("the server to be gone", async () => (await processesWith(backup.scratch)).length === 0);

test("one that is killed while a server loads takes the server with it, and the next run removes what it left", async () => {
  await using job = await startSlow();
  // The server, and the two that watch it.
  expect((await processesWith(backup.scratch)).length).toBeGreaterThanOrEqual(3);
  await kill(job.child);
  await nobodyLeft();
  expect(await readdir(backup.scratch)).toHaveLength(1);
  expect(await marks(backup.store)).toEqual([".json"]);
  expect(await backup.verify()).toMatchObject({ outcome: "verified" });
  expect(await isEmpty(backup.scratch)).toBe(true);
});

test("what another run is using at this moment is left to it", async () => {
  await using job = await startSlow();
  const [used] = await readdir(backup.scratch);
  expect(await backup.verify()).toMatchObject({ outcome: "verified" });
  expect(await readdir(backup.scratch)).toEqual([used]);
  await kill(job.child);
  await nobodyLeft();
});

describeWith([smallDisk], "a scratch disk without room for a backup", () => {
  test("leaves it structure-checked", async () => {
    await using job = start([atHand()], inSmallDisk({ folder: backup.scratch, sizeMiB: 8 }));
    await once(job.child, "close");
    expect(job.lines.at(-1)).toMatchObject({
      outcome: "looked-at",
      verification: {
        outcome: "structure-checked",
        why: expect.stringMatching(
          /^extracting it takes 1\d MiB, and the scratch folder has only \d MiB free$/,
        ),
      },
    });
  });
});
