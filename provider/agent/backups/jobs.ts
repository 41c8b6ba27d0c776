import { spawn } from "node:child_process";
import { once } from "node:events";
import { open, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { Failure } from "../../core/errors";
import { JobLineSchema, type JobResult, type JobSpec } from "../../core/job";
import type { Clock, Task } from "../../core/task";
import type { HomeLayout } from "../../platforms/local/home";
import { systemClock } from "../../system/clock";
import { writeDurably } from "../../system/files";
import { identify, isAlive, signalProcess, waitForEnd, type ProcessIdentity } from "../../system/processes";
import { discardJobFolders, isInUse, jobFolder, makeJobFolder } from "./job-folders";

const JOB_ENTRY = join(__dirname, "..", "..", "job", "main.js");
const POLL_MS = 50;
/** Jobs tell something at least each minute or two, however slow the server or the store, unless one of them hangs. */
const QUIET_LIMIT_MS = 15 * 60_000;
/** A job that is told to stop removes what it wrote, for at most half of this. */
const LEAVE_LIMIT_MS = 60_000;

/** What Node.js writes about its end besides why: where in its own code, and its version. */
const NOISE = /^(\s+at |\s*\d+: 0x|-----|Node\.js v|\s*$)/;

/** Of a job whose result nobody will ask for. */
const UNWANTED_LEAVE_LIMIT_MS = 10_000;

const KINDS = [
  "backup",
  "verify",
  "restore",
  "probe",
  "release",
] as const satisfies readonly JobSpec["kind"][];

const NoteSchema = z.object({
  addon: z.string(),
  pid: z.number().int(),
  startedAt: z.string(),
  /** Absent: of an earlier version, which knew backups alone. */
  kind: z.enum(KINDS).default("backup"),
});

/** What messages say of a job that failed without a word, and what to do then. */
const WORDS: Readonly<
  Record<
    JobSpec["kind"],
    { readonly operation: string; readonly killed: string; again(addon: string): string }
  >
> = {
  backup: {
    operation: "back up",
    killed: "The next one removes what it left, and proves what it finished",
    again: (addon) => `then: redis-addon backup run ${addon}`,
  },
  verify: { operation: "verify a backup of", killed: "Run it again", again: () => "then run it again" },
  restore: {
    operation: "restore",
    killed: "Nothing was replaced: run it again",
    again: () => "then run it again: nothing was replaced",
  },
  probe: {
    operation: "look at the place for backups of",
    killed: "Run it again",
    again: () => "then run it again",
  },
  release: {
    operation: "release a backup of",
    killed: "It is held for a day at most",
    again: () => "the backup is held for a day at most",
  },
};

/** Those whose result is wanted whoever asked for it. */
const OUTLIVES_ITS_CALL: ReadonlySet<JobSpec["kind"]> = new Set(["backup", "verify"]);

/** A job that runs, or ran, in a process of its own; its output lies in a file, so that it outlives the agent. */
export interface JobHandle {
  readonly id: string;
  readonly addon: string;
  readonly kind: JobSpec["kind"];
  readonly process: ProcessIdentity;
}

/** Starts a job. Its spec, which holds passwords, goes through its standard input. */
export async function startJob(layout: HomeLayout, spec: JobSpec): Promise<JobHandle> {
  const folder = await makeJobFolder(layout, spec.id);
  const [output, errors] = await Promise.all([
    open(join(folder, "output.ndjson"), "w", 0o600),
    open(join(folder, "errors.log"), "w", 0o600),
  ]);
  try {
    const child = spawn(process.execPath, [JOB_ENTRY], {
      detached: true,
      stdio: ["pipe", output.fd, errors.fd],
      cwd: layout.root,
    });
    await once(child, "spawn");
    // It may end before it has read everything, for example on a full disk; its output then tells why.
    child.stdin?.on("error", () => undefined);
    child.stdin?.end(JSON.stringify(spec));
    child.unref();
    const identity = child.pid === undefined ? undefined : await identify(child.pid);
    const known = identity ?? { pid: child.pid ?? 0, startedAt: "ended" };
    const { id, kind, addon } = spec;
    await writeDurably(
      join(folder, "job.json"),
      JSON.stringify({ addon: addon.name, kind, ...known }),
      0o600,
    );
    return { id, addon: addon.name, kind, process: known };
  } finally {
    await Promise.all([output.close(), errors.close()]);
  }
}

/**
 * The jobs that an earlier agent started and nobody has collected; one that works for a call that is gone is ended. A folder that holds no note is taken for the remains of a start that was interrupted.
 */
export async function leftoverJobs(layout: HomeLayout, clock: Clock = systemClock): Promise<JobHandle[]> {
  const handles: JobHandle[] = [];
  const useless: string[] = [];
  for (const id of await readdir(layout.jobs).catch(() => [])) {
    if (isInUse(layout, id)) continue;
    const folder = join(layout.jobs, id);
    const text = await readFile(join(folder, "job.json"), "utf8").catch(() => undefined);
    const note = parseNote(text);
    const job = note && { id, addon: note.addon, kind: note.kind, process: processOf(note) };
    if (job !== undefined && OUTLIVES_ITS_CALL.has(job.kind)) handles.push(job);
    else {
      // Before its folders go: it would make them again.
      if (job !== undefined) await endJob(job, clock);
      useless.push(folder);
    }
  }
  for (const folder of useless) await rm(folder, { recursive: true, force: true });
  return handles;
}

function processOf({ pid, startedAt }: z.infer<typeof NoteSchema>): ProcessIdentity {
  return { pid, startedAt };
}

/** Ends a job whose result nobody wants. */
export async function endJob(job: JobHandle, clock: Clock): Promise<void> {
  await signalProcess(job.process, "SIGTERM");
  if (await waitForEnd(job.process, UNWANTED_LEAVE_LIMIT_MS, clock)) return;
  await signalProcess(job.process, "SIGKILL");
  await waitForEnd(job.process, UNWANTED_LEAVE_LIMIT_MS, clock);
}

function parseNote(text: string | undefined): z.infer<typeof NoteSchema> | undefined {
  try {
    return NoteSchema.parse(JSON.parse(text ?? ""));
  } catch {
    return undefined;
  }
}

/**
 * Passes on a job's progress until it has ended, and returns its result. One that says nothing for a quarter of an hour
 * is ended and has failed: it would keep its add-on from being backed up and removed for ever.
 */
export async function awaitJob(
  layout: HomeLayout,
  job: JobHandle,
  task: Task,
  quietLimitMs = QUIET_LIMIT_MS,
): Promise<JobResult> {
  const folder = jobFolder(layout, job.id);
  const file = await open(join(folder, "output.ndjson"), "r");
  try {
    let rest = "";
    // Counted, not read from the clock: neither one that jumps nor a machine that slept must look like a job that hangs.
    let quietMs = 0;
    const buffer = Buffer.alloc(64 * 1024);
    for (let ended = false; ;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length);
      if (bytesRead === 0) {
        if (ended) break;
        // Once more after its end: it may have written between the last read and that.
        ended = !(await isAlive(job.process));
        if (ended) continue;
        if (quietMs >= quietLimitMs) throw await endHanging(job, task, quietLimitMs);
        await task.clock.sleep(POLL_MS, task.signal);
        quietMs += POLL_MS;
        continue;
      }
      quietMs = 0;
      const lines = (rest + buffer.toString("utf8", 0, bytesRead)).split("\n");
      rest = lines.pop() ?? "";
      for (const line of lines) {
        const parsed = JobLineSchema.parse(JSON.parse(line));
        if (parsed.type === "result") return parsed;
        if (parsed.type === "failure") throw new Failure(parsed.report);
        task.progress(parsed);
      }
    }
    throw new Failure({
      code: "job-killed",
      operation: WORDS[job.kind].operation,
      subject: job.addon,
      cause: `the job ended without a result${await lastWords(folder)}`,
      hint: WORDS[job.kind].killed,
      transient: true,
    });
  } finally {
    await file.close();
    // An agent that leaves leaves the job to its successor.
    if (!task.signal.aborted) await removeCollected(layout, job);
  }
}

/** What was fetched for a restore is still needed, and its folders are discarded together. */
async function removeCollected(layout: HomeLayout, { id, kind }: JobHandle): Promise<void> {
  if (kind !== "restore") return discardJobFolders(layout, id);
  await rm(jobFolder(layout, id), { recursive: true, force: true });
}

async function endHanging(job: JobHandle, task: Task, quietMs: number): Promise<Failure> {
  await signalProcess(job.process, "SIGTERM");
  const left = await waitForEnd(job.process, LEAVE_LIMIT_MS, task.clock);
  // One that waits for a dead network share inside the kernel outlives even this; it holds nothing that others need.
  if (!left) await signalProcess(job.process, "SIGKILL");
  return new Failure({
    code: "job-hangs",
    operation: WORDS[job.kind].operation,
    subject: job.addon,
    cause: `the job made no progress for ${quietMs / 60_000} minutes and was ended`,
    hint: `Check that the disk or network share of its destination answers, ${WORDS[job.kind].again(job.addon)}`,
    transient: true,
  });
}

async function lastWords(folder: string): Promise<string> {
  const text = await readFile(join(folder, "errors.log"), "utf8").catch(() => "");
  const last = text.split("\n").findLast((line) => !NOISE.test(line));
  return last === undefined ? "" : `: ${last.trim()}`;
}
