import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, readdir, readFile, readlink, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { fileURLToPath } from "node:url";
import { randomBytes } from "node:crypto";
import { expect } from "vitest";
import type { FailureReport } from "../../provider/core/errors";
import { type BackupJob, type JobLine, JobLineSchema, type JobSpec } from "../../provider/core/job";
import { readCatalog } from "../../provider/backup/catalog";
import { verifyBackup } from "../../provider/backup/verify/verify-backup";
import type { Store } from "../../provider/stores/contract";
import { openStore } from "../../provider/stores/open";
import { atHand, processesWith } from "../contract/verify-support";
import { task } from "../contract/backup-support";
import { type CompiledProgram, compileProgram } from "./compiled-program";
import { type RedisServer, startRedisServer, until } from "./redis-server";
import type { S3Server } from "./s3-servers";

const never = new AbortController().signal;
const PRELOAD = join(import.meta.dirname, "faults-preload.mjs");
export const CATALOG = "cache-12345678";
/** Nobody but the tests knows them; none of them may be found anywhere afterwards. */
export const PASSWORD = `pw-${randomBytes(12).toString("hex")}`;

/** Where a job's process is struck. */
export interface JobFault {
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

/** A folder or a bucket for backups, with a scratch folder of its own beside it. */
export interface Place extends AsyncDisposable {
  readonly url: string;
  readonly store: Store;
  readonly scratch: string;
  readonly credentials?: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** Every name that lies there, hidden ones included, and uploads that are not complete. */
  everything(): Promise<string[]>;
  /** As if all that lies there had been written two days ago. */
  age(): Promise<void>;
}

export async function folderPlace(): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "faults-"));
  const root = join(folder, "store");
  const url = `file://${root}`;
  return {
    url,
    store: await openStore(url),
    scratch: join(folder, "scratch"),
    everything: () => filesBelow(root),
    age: () => ageBelow(root),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** A part of a bucket of versitygw, whose objects are files; requests go through `endpoint`. */
export async function bucketPlace(server: S3Server, endpoint = server.endpoint): Promise<Place> {
  const folder = await mkdtemp(join(tmpdir(), "faults-"));
  const prefix = `p-${randomBytes(4).toString("hex")}`;
  const { accessKeyId, secretAccessKey, bucket, region } = server;
  const credentials = { accessKeyId, secretAccessKey };
  const urlAt = (at: string) => `s3://${bucket}/${prefix}?endpoint=${at}&region=${region}`;
  const root = join(await readlink(`/proc/${server.pid}/cwd`), bucket);
  return {
    url: urlAt(endpoint),
    store: await openStore(urlAt(server.endpoint), credentials),
    scratch: join(folder, "scratch"),
    credentials,
    everything: async () =>
      (await filesBelow(root)).filter((name) => name.startsWith(`${prefix}/`) || name.startsWith(".sgwtmp/")),
    age: () => ageBelow(root),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

/** The files below a folder, and the folders that hold none. */
export async function filesBelow(root: string): Promise<string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true }).catch(() => []);
  return entries
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(root.length + 1))
    .sort();
}

const TWO_DAYS_MS = 2 * 24 * 60 * 60_000;

async function ageBelow(root: string): Promise<void> {
  const then = new Date(Date.now() - TWO_DAYS_MS);
  for (const name of await readdir(root, { recursive: true }).catch(() => []))
    await utimes(join(root, name), then, then);
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
    since: new Date(Date.now() - TWO_DAYS_MS).toISOString(),
  },
} as const satisfies Partial<BackupJob>;

/** What was proved once needs no second proof while nobody harms what is stored. */
const proved = new WeakMap<Place, Set<string>>();

/** The slots of the backups in a place, each of which is proved to open. */
export async function wholeBackups(place: Place): Promise<string[]> {
  const { store, scratch } = place;
  const { backups } = await readCatalog(store, CATALOG, never);
  const known = proved.get(place) ?? new Set();
  proved.set(place, known);
  for (const { name } of backups.filter((backup) => !known.has(backup.name))) {
    const request = { store, catalogKey: CATALOG, slot: name, scratchFolder: scratch, servers: [atHand()] };
    const verification = await verifyBackup(request, task());
    expect(verification).toMatchObject({ slot: name, outcome: "verified" });
    known.add(name);
  }
  return backups.map(({ name }) => name);
}

/** Nothing lies in a place but backups: of each the manifest, the archive and what was found of it. */
export async function expectOnlyBackups(place: Place): Promise<void> {
  const { backups, orphans } = await readCatalog(place.store, CATALOG, never);
  expect(orphans).toEqual([]);
  const strange = (await place.everything()).filter(
    (name) => !backups.some((backup) => name.includes(`${CATALOG}/${backup.name}`)),
  );
  expect(strange).toEqual([]);
  expect(backups.map(({ archives }) => archives.length)).toEqual(backups.map(() => 1));
}

/** It takes writes, serves nobody as a replica's leader any more, and has not been told that a snapshot failed. */
export async function expectFineLeader(server: RedisServer): Promise<void> {
  await until("the leader to be alone again", async () =>
    /rdb_bgsave_in_progress:0[^]*connected_slaves:0/.test(await server.client.info()),
  );
  const info = await server.client.info();
  for (const line of ["blocked_clients:0", "rdb_last_bgsave_status:ok", "aof_last_write_status:ok"])
    expect(info).toContain(line);
  expect(await server.client.set("write", "taken")).toBe("OK");
}

/** No process works below these folders, or was told of them. */
export async function expectNobodyIn(...folders: readonly string[]): Promise<void> {
  for (const folder of folders)
    await until(`nobody to work in ${folder}`, async () => (await processesWith(folder)).length === 0);
}

/**
 * Whatever was struck there: no process is left, what is listed opens, the next job succeeds and removes all else that
 * was left two days before.
 */
export async function expectRecovery(
  jobs: Jobs,
  leader: RedisServer,
  place: Place,
  secrets: readonly string[] = [],
): Promise<void> {
  await expectNobodyIn(place.scratch);
  await expectFineLeader(leader);
  const before = await wholeBackups(place);
  await place.age();
  const next = backupOf(await jobs.run(backupJob(leader, place)));
  expect(next).toMatchObject({ verification: { outcome: "verified" }, warnings: [], pruned: [] });
  expect(next.pruneFailure).toBeUndefined();
  await expectOnlyBackups(place);
  expect(await wholeBackups(place)).toEqual([...before, next.slot]);
  expect(await filesBelow(place.scratch)).toEqual([]);
  await expectNoSecrets([PASSWORD, ...secrets], jobs.said(), place.scratch);
}

/** None of these is in what was said, nor in any file below a folder. */
export async function expectNoSecrets(secrets: readonly string[], said: string, folder?: string): Promise<void> {
  const files = folder === undefined ? [] : (await filesBelow(folder)).map((name) => join(folder, name));
  for (const secret of secrets) {
    expect(said.includes(secret)).toBe(false);
    for (const file of files) expect({ file, found: (await readFile(file)).includes(secret) }).toEqual({ file, found: false });
  }
}

export const pathOfUrl = (url: string): string => fileURLToPath(url);
