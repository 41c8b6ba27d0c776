import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, open, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { Failure } from "../../core/errors";
import { JobLineSchema, type JobResult, type JobSpec } from "../../core/job";
import type { Task } from "../../core/task";
import type { HomeLayout } from "../../platforms/local/home";
import { writeDurably } from "../../system/files";
import { identify, isAlive, signalProcess, waitForEnd, type ProcessIdentity } from "../../system/processes";

const JOB_ENTRY = join(__dirname, "..", "..", "job", "main.js");
const POLL_MS = 50;
/** Jobs tell something at least each minute or two, however slow the server or the store, unless one of them hangs. */
const QUIET_LIMIT_MS = 15 * 60_000;
/** A job that is told to stop removes what it wrote, for at most half of this. */
const LEAVE_LIMIT_MS = 60_000;

/** What Node.js writes about its end besides why: where in its own code, and its version. */
const NOISE = /^(\s+at |\s*\d+: 0x|-----|Node\.js v|\s*$)/;

const NoteSchema = z.object({ addon: z.string(), pid: z.number().int(), startedAt: z.string() });

/** A job that runs, or ran, in a process of its own; its output lies in a file, so that it outlives the agent. */
export interface JobHandle {
  readonly id: string;
  readonly addon: string;
  readonly process: ProcessIdentity;
}

/** Starts a job. Its spec, which holds passwords, goes through its standard input. */
export async function startJob(layout: HomeLayout, spec: JobSpec): Promise<JobHandle> {
  const folder = join(layout.jobs, spec.id);
  await mkdir(folder, { recursive: true, mode: 0o700 });
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
    await writeDurably(join(folder, "job.json"), JSON.stringify({ addon: spec.addon.name, ...known }), 0o600);
    return { id: spec.id, addon: spec.addon.name, process: known };
  } finally {
    await Promise.all([output.close(), errors.close()]);
  }
}

/**
 * The jobs that an earlier agent started and nobody has collected. Call it before the first `startJob`: a folder that
 * holds no note is taken for the remains of a start that was interrupted.
 */
export async function leftoverJobs(layout: HomeLayout): Promise<JobHandle[]> {
  const handles: JobHandle[] = [];
  for (const id of await readdir(layout.jobs).catch(() => [])) {
    const text = await readFile(join(layout.jobs, id, "job.json"), "utf8").catch(() => undefined);
    const note = parseNote(text);
    if (note === undefined) {
      await rm(join(layout.jobs, id), { recursive: true, force: true });
      continue;
    }
    const { addon, pid, startedAt } = note;
    handles.push({ id, addon, process: { pid, startedAt } });
  }
  return handles;
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
  const folder = join(layout.jobs, job.id);
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
      operation: "back up",
      subject: job.addon,
      cause: `the job ended without a result${await lastWords(folder)}`,
      hint: "The next one removes what it left, and proves what it finished",
      transient: true,
    });
  } finally {
    await file.close();
    // An agent that leaves leaves the job to its successor.
    if (!task.signal.aborted) await rm(folder, { recursive: true, force: true });
  }
}

async function endHanging(job: JobHandle, task: Task, quietMs: number): Promise<Failure> {
  await signalProcess(job.process, "SIGTERM");
  const left = await waitForEnd(job.process, LEAVE_LIMIT_MS, task.clock);
  // One that waits for a dead network share inside the kernel outlives even this; it holds nothing that others need.
  if (!left) await signalProcess(job.process, "SIGKILL");
  return new Failure({
    code: "job-hangs",
    operation: "back up",
    subject: job.addon,
    cause: `the job made no progress for ${quietMs / 60_000} minutes and was ended`,
    hint: `Check that the disk or network share of its destination answers, then: redis-addon backup run ${job.addon}`,
    transient: true,
  });
}

async function lastWords(folder: string): Promise<string> {
  const text = await readFile(join(folder, "errors.log"), "utf8").catch(() => "");
  const last = text.split("\n").findLast((line) => !NOISE.test(line));
  return last === undefined ? "" : `: ${last.trim()}`;
}
