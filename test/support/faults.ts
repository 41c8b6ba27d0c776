import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import type { FailureReport } from "../../provider/core/errors";
import { type BackupJob, type JobLine, JobLineSchema, type JobSpec } from "../../provider/core/job";
import { atHand } from "../contract/verify-support";
import { type CompiledProgram, compileProgram } from "./compiled-program";
import type { Place } from "./faults-places";
import { type RedisServer, startRedisServer } from "./redis-server";

const PRELOAD = fileURLToPath(new URL("./faults-preload.mjs", import.meta.url));
export const CATALOG = "cache-12345678";
/** Nobody but the tests knows them; none of them may be found anywhere afterwards. */
export const PASSWORD = `pw-${randomBytes(12).toString("hex")}`;

/** Where a job's process is struck. */
interface JobFault {
  readonly signal: "SIGKILL" | "SIGTERM";
  /** When it tells this for the first time. */
  readonly message?: string;
  /** Before the so-manyth call that changes a file. */
  readonly fileCall?: number;
}

export interface JobRun {
  readonly code: number | null;
  readonly lines: readonly JobLine[];
  readonly last: JobLine | undefined;
  readonly output: string;
}

export interface RunOptions {
  readonly fault?: JobFault;
  /** The machine's clock as the process sees it; a store's own is right. */
  readonly clockAheadMs?: number;
  /** A file that is told how many calls changed a file. */
  readonly countInto?: string;
  /** A program that becomes the job's. */
  readonly prefix?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly onLine?: (line: JobLine) => void;
  /** Told as soon as it runs. */
  readonly onStart?: (pid: number) => void;
}

/** Runs jobs as processes, and keeps every word that they say. */
export interface Jobs extends AsyncDisposable {
  readonly program: CompiledProgram;
  run(job: JobSpec, options?: RunOptions): Promise<JobRun>;
  /** Everything that all of them printed. */
  said(): string;
}

export async function openJobs(): Promise<Jobs> {
  const program = await compileProgram();
  const outputs: string[] = [];
  return {
    program,
    said: () => outputs.join("\n"),
    async run(job, { fault, clockAheadMs, countInto, prefix = [], env = {}, onStart, onLine } = {}) {
      const disturbed = [fault, clockAheadMs, countInto].some((one) => one !== undefined);
      const [command, ...args] = [
        ...prefix,
        process.execPath,
        ...(disturbed ? ["--import", PRELOAD] : []),
        program.path("provider/job/main.ts"),
      ];
      const child = spawn(command, args, {
        stdio: "pipe",
        env: {
          PATH: process.env["PATH"],
          ...(disturbed ? { JOB_FAULT: JSON.stringify({ ...fault, clockAheadMs, countInto }) } : {}),
          ...env,
        },
      });
      onStart?.(child.pid ?? 0);
      const killWithUs = () => child.kill("SIGKILL");
      process.once("exit", killWithUs);
      child.stdin.on("error", () => undefined);
      child.stdin.end(JSON.stringify(job));
      let rest = "";
      const lines: JobLine[] = [];
      child.stdout.on("data", (chunk: Buffer) => {
        const parts = (rest + chunk.toString()).split("\n");
        rest = parts.pop() ?? "";
        for (const part of parts) {
          const line = JobLineSchema.parse(JSON.parse(part));
          lines.push(line);
          onLine?.(line);
        }
      });
      const [stderr, [code]] = await Promise.all([
        text(child.stderr),
        once(child, "close") as Promise<[number | null]>,
      ]);
      process.removeListener("exit", killWithUs);
      const output = lines.map((line) => JSON.stringify(line)).join("\n") + rest + stderr;
      outputs.push(output);
      return { code, lines, last: lines.at(-1), output };
    },
    [Symbol.asyncDispose]: () => program[Symbol.asyncDispose](),
  };
}

/** What a job failed with; throws where it did not. */
export function failureOf({ last, output }: JobRun): FailureReport {
  if (last?.type !== "failure") throw new Error(`it did not fail:\n${output}`);
  return last.report;
}

/** What a job made; throws where it made nothing. */
export function backupOf({ last, output }: JobRun) {
  if (last?.type !== "result" || last.outcome !== "backed-up") throw new Error(`no backup:\n${output}`);
  return last;
}

/** The steps that a job told, in order, each once: without how long it waited. */
export function stepsOf({ lines }: JobRun): string[] {
  const messages = lines.flatMap((line) => (line.type === "progress" ? [line.message] : []));
  return [...new Set(messages.filter((message) => !/ \(\d+ s\)$/.test(message)))];
}

/** A leader with small keys and values that no compression shrinks, whose user `taker` may take snapshots alone. */
export async function startLeader(
  { randomMiB = 1, args = [] }: { randomMiB?: number; args?: readonly string[] } = {},
  more: Parameters<typeof startRedisServer>[0] = {},
): Promise<RedisServer> {
  const server = await startRedisServer({
    ...more,
    args: ["--repl-diskless-sync-delay", "0", "--enable-debug-command", "yes", ...args],
  });
  const { client } = server;
  await client.call("ACL", "SETUSER", "taker", "on", `>${PASSWORD}`, "-@all", "+psync", "+replconf", "+info");
  await client.call("DEBUG", "POPULATE", 2_000, "key", 100);
  for (let mib = 0; mib < randomMiB; mib++) await client.set(`random:${mib}`, randomBytes(1024 * 1024));
  return server;
}

export interface JobOptions extends Partial<Omit<BackupJob, "kind" | "destination">> {
  /** The leader writes the snapshot to its own disk. */
  readonly fromDisk?: boolean;
  /** Not verified. */
  readonly unproved?: boolean;
}

export function backupJob(
  server: { readonly port: number; readonly dir?: string },
  place: Pick<Place, "url" | "scratch" | "credentials">,
  { fromDisk = false, unproved = false, ...more }: JobOptions = {},
): BackupJob {
  const { url, scratch, credentials } = place;
  return {
    kind: "backup",
    id: "job-1",
    addon: { name: "cache", catalogKey: CATALOG, createdAt: "2020-01-01T00:00:00.000Z" },
    source: {
      host: "127.0.0.1",
      port: server.port,
      username: "taker",
      password: PASSWORD,
      ...(fromDisk && server.dir !== undefined ? { dataFolder: server.dir } : {}),
    },
    destination: url,
    ...(credentials === undefined ? {} : { credentials }),
    scratchFolder: scratch,
    reason: { kind: "demand" },
    retention: { days: 7 },
    ...(unproved ? {} : { proof: { servers: [atHand()] } }),
    ...more,
  };
}

/** Of today's midnight, which was never backed up. */
export const SCHEDULED = {
  reason: {
    kind: "scheduled",
    schedule: { every: "1d" },
    since: new Date(Date.now() - 2 * 24 * 60 * 60_000).toISOString(),
  },
} as const satisfies Partial<BackupJob>;
