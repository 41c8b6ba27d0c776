import { text } from "node:stream/consumers";
import { asFailure, Failure } from "../core/errors";
import { type JobLine, type JobSpec, JobSpecSchema } from "../core/job";
import type { Task } from "../core/task";
import { expectBulkBytes } from "../system/bulk-bytes";
import { expectManyObjects } from "../system/many-objects";
import { systemClock } from "../system/clock";
import { stepBehindServers } from "../system/step-behind-servers";
import { performJob } from "../backup/jobs/perform";

// One job as a process: its specification as JSON on standard input, NDJSON on standard output. The last line is a
// result (exit code 0) or a failure (1).

function say(line: JobLine): void {
  process.stdout.write(`${JSON.stringify(line)}\n`);
}

async function readSpec(): Promise<JobSpec> {
  const parsed = JobSpecSchema.safeParse(parseJson(await text(process.stdin)));
  if (parsed.success) return parsed.data;
  throw new Failure({
    code: "invalid-job",
    operation: "run",
    subject: "the job",
    // Paths and zod's words hold no values of fields that are secret.
    cause: parsed.error.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join("; "),
  });
}

function parseJson(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}

/** Whether an add-on takes no writes until it is done, or has no data; or somebody waits for what takes no time. */
function isAwaited(spec: JobSpec): boolean {
  if (spec.kind !== "backup") return spec.kind !== "verify";
  return spec.reason.kind === "final" || spec.purpose === "safety";
}

async function main(): Promise<void> {
  expectBulkBytes();
  expectManyObjects();
  // Whatever ends this process early, a bug included, it has not succeeded.
  process.exitCode = 1;
  const abort = new AbortController();
  const stop = () =>
    abort.abort(
      new Failure({
        code: "stopped",
        operation: "run",
        subject: "the job",
        cause: "it was told to stop",
        transient: true,
      }),
    );
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  // A job outlives whoever started it: neither its terminal's end nor a reader that has gone may stop it.
  process.on("SIGHUP", () => undefined);
  process.stdout.on("error", () => undefined);
  process.stderr.on("error", () => undefined);
  try {
    const spec = await readSpec();
    if (!isAwaited(spec)) await stepBehindServers();
    const task: Task = {
      signal: abort.signal,
      clock: systemClock,
      progress: (progress) => say({ type: "progress", ...progress }),
    };
    say(await performJob(spec, task));
    process.exitCode = 0;
  } catch (error) {
    say({ type: "failure", report: asFailure(error, "run", "the job").report() });
  }
  // A connection that lingers must not keep a finished job alive; the pipe or file has the last line by then.
  process.stdout.write("", () => process.exit());
}

void main();
