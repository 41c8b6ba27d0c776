import { spawn } from "node:child_process";
import { once } from "node:events";
import { randomBytes } from "node:crypto";
import { mkdir, open, readFile, symlink } from "node:fs/promises";
import { constants, getPriority } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type JobLine, JobLineSchema, type BackupJob } from "../../provider/core/job";
import { runBackupJob } from "../../provider/backup/jobs/run-backup";
import { systemClock } from "../../provider/system/clock";
import { type CompiledProgram, compileProgram } from "../support/compiled-program";
import { startFaultProxy } from "../support/fault-proxy";
import { startRedisServer, until } from "../support/redis-server";
import { cuttingProxy, names, task, temporaryFolder, temporaryStore, visibleOf } from "./backup-support";

let program: CompiledProgram;
beforeAll(async () => {
  program = await compileProgram();
});
afterAll(() => program[Symbol.asyncDispose]());

const CATALOG = "cache-12345678";

const spec = (server: { port: number }, destination: string, more: Partial<BackupJob> = {}): BackupJob => ({
  kind: "backup",
  id: "job-1",
  addon: { name: "cache", catalogKey: CATALOG, createdAt: "2020-01-01T00:00:00.000Z" },
  source: { host: "127.0.0.1", port: server.port },
  destination,
  reason: { kind: "demand" },
  retention: { days: 7 },
  ...more,
});

function start(input: string) {
  const child = spawn(process.execPath, [program.path("provider/job/main.ts")], {
    stdio: ["pipe", "pipe", "pipe"],
    env: { PATH: process.env["PATH"] },
  });
  child.stdin.on("error", () => undefined);
  child.stdin.end(input);
  const ended = Promise.all([text(child.stdout), text(child.stderr), once(child, "exit")]).then(
    ([stdout, stderr, [code]]) => ({
      code: code as number | null,
      stdout,
      stderr,
      lines: stdout
        .split("\n")
        .slice(0, -1)
        .map((line) => JobLineSchema.parse(JSON.parse(line))),
    }),
  );
  // A test that closes its end of the pipes gets no text; it does not ask for it either.
  ended.catch(() => undefined);
  return {
    child,
    ended,
    [Symbol.asyncDispose]: async () => void (child.kill("SIGKILL"), await ended.catch(() => {})),
  };
}

async function run(job: BackupJob) {
  await using process = start(JSON.stringify(job));
  return await process.ended;
}

const last = (lines: readonly JobLine[]) => lines.at(-1);

test("a job stands back behind servers, unless it is of data that are about to be replaced", async () => {
  await using server = await startRedisServer();
  await using silent = await startFaultProxy(server.port);
  silent.set({ fromServer: { stall: true } });
  await using opened = await temporaryStore();
  for (const [purpose, priority] of [
    [{}, constants.priority.PRIORITY_LOW],
    [{ purpose: "safety" }, getPriority()],
  ] as const) {
    await using job = start(JSON.stringify(spec(silent, opened.url, purpose)));
    await once(job.child.stdout, "data");
    expect(getPriority(job.child.pid)).toBe(priority);
  }
});

test("a backup on demand tells its progress, then what it made", async () => {
  await using server = await startRedisServer();
  await using opened = await temporaryStore();
  await server.client.mset("a", 1, "b", 2);
  const { code, lines, stderr } = await run(spec(server, opened.url, { facts: { databases: 16 } }));
  expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
  expect(lines.slice(0, -1).every(({ type }) => type === "progress")).toBe(true);
  expect(lines.length).toBeGreaterThan(2);
  const result = last(lines);
  expect(result).toMatchObject({
    type: "result",
    outcome: "backed-up",
    keys: 2,
    takenHere: true,
    pruned: [],
  });
  if (result?.type !== "result" || result.outcome !== "backed-up") throw new Error("no backup");
  expect(await names(opened.store)).toEqual([
    result.archiveUrl.slice(opened.url.length + 1),
    `${CATALOG}/${result.slot}.json`,
  ]);
  expect((await readFile(new URL(result.archiveUrl))).length).toBe(result.sizeBytes);
});

test("a scheduled one backs up the due slot once, and says so when none is due", async () => {
  await using server = await startRedisServer();
  await using opened = await temporaryStore();
  const schedule = { every: "1d" };
  const since = new Date(Date.now() - 3 * 86_400_000).toISOString();
  const job = spec(server, opened.url, { reason: { kind: "scheduled", schedule, since } });
  const midnight = new Date(Math.floor(Date.now() / 86_400_000) * 86_400_000)
    .toISOString()
    .replace(/[-:.]/g, "");
  const first = await run(job);
  expect(last(first.lines)).toMatchObject({ outcome: "backed-up", slot: midnight });
  const second = await run(job);
  expect(second).toMatchObject({ code: 0, lines: [{ type: "result", outcome: "not-due" }] });
  expect(await names(opened.store)).toHaveLength(2);
  const young = { kind: "scheduled", schedule: { every: "366d" }, since: new Date().toISOString() } as const;
  expect(last((await run(spec(server, opened.url, { reason: young }))).lines)).toMatchObject({
    outcome: "not-due",
  });
});

test("a final backup is of this moment: one that lies in its slot already does not pass as it", async () => {
  await using server = await startRedisServer();
  await using opened = await temporaryStore();
  const instant = Date.parse("2026-05-01T12:00:00Z");
  const stopped = task({ clock: { ...systemClock, now: () => instant } });
  const demand = spec(server, opened.url);
  const older = await runBackupJob(demand, "older", stopped);
  expect(older).toMatchObject({ slot: "20260501T120000000Z", takenHere: true });
  await server.client.set("last", "write");
  const final = await runBackupJob({ ...demand, reason: { kind: "final" } }, "last", stopped);
  expect(final).toMatchObject({ slot: "20260501T120000001Z", takenHere: true, keys: 1 });
  const again = await runBackupJob(demand, "again", stopped);
  expect(again).toMatchObject({ slot: "20260501T120000002Z", takenHere: true });
});

test("retention leaves alone what an earlier add-on of the name left", async () => {
  await using server = await startRedisServer();
  await using opened = await temporaryStore();
  const only = { retention: { keepLast: 1 } };
  const earlier = last((await run(spec(server, opened.url, { reason: { kind: "final" } }))).lines);
  const addon = { name: "cache", catalogKey: CATALOG, createdAt: new Date(Date.now()).toISOString() };
  const slots: string[] = [];
  for (let count = 0; count < 2; count++) {
    const result = last((await run(spec(server, opened.url, { ...only, addon }))).lines);
    if (result?.type !== "result" || result.outcome !== "backed-up") throw new Error("no backup");
    expect(result.pruned).toEqual(slots);
    slots.push(result.slot);
  }
  expect(await names(opened.store)).toContainEqual(
    earlier?.type === "result" && earlier.outcome === "backed-up" && `${CATALOG}/${earlier.slot}.json`,
  );
});

test("a destination among the data home's own folders is refused with the remedy, and nothing is written", async () => {
  await using server = await startRedisServer();
  await using folder = await temporaryFolder();
  const own = join(folder.path, "addons");
  await mkdir(own);
  await symlink(own, join(folder.path, "link"));
  const destination = pathToFileURL(join(folder.path, "link", "cache")).href;
  const { code, lines } = await run(spec(server, destination, { offLimits: [own] }));
  expect(code).toBe(1);
  expect(lines).toEqual([
    {
      type: "failure",
      report: expect.objectContaining({
        code: "destination-off-limits",
        operation: "back up",
        subject: "cache",
        hint: expect.stringContaining("or leave it out"),
      }),
    },
  ]);
  await expect(readFile(join(own, "cache"))).rejects.toMatchObject({ code: "ENOENT" });
});

test("two jobs that race for one slot both succeed and leave one backup", async () => {
  await using server = await startRedisServer();
  await using opened = await temporaryStore();
  const since = new Date(Date.now() - 3 * 86_400_000).toISOString();
  const job = spec(server, opened.url, { reason: { kind: "scheduled", schedule: { every: "1d" }, since } });
  const results = (await Promise.all([run(job), run(job)])).map(({ code, lines }) => ({
    code,
    line: last(lines),
  }));
  expect(results.map(({ code }) => code)).toEqual([0, 0]);
  expect(await names(opened.store)).toHaveLength(2);
});

test("a password is in neither the process list nor the environment nor any output, also of a failure", async () => {
  await using server = await startRedisServer({ args: ["--rdb-key-save-delay", "100000"] });
  await using opened = await temporaryStore();
  const password = `pw-${randomBytes(12).toString("hex")}`;
  await server.client.call(
    "ACL",
    "SETUSER",
    "taker",
    "on",
    `>${password}`,
    "-@all",
    "+psync",
    "+replconf",
    "+info",
  );
  for (let key = 0; key < 5; key++) await server.client.set(`key:${key}`, key);
  const source = { host: "127.0.0.1", port: server.port, username: "taker", password };
  await using running = start(JSON.stringify(spec(server, opened.url, { source })));
  await until("the snapshot to be under way", async () =>
    /rdb_bgsave_in_progress:1/.test(await server.client.info("persistence")),
  );
  const visible = await visibleOf(running.child.pid ?? 0);
  expect(visible).toContain("main.js");
  expect(visible).not.toContain(password);
  const good = await running.ended;
  expect(good.code).toBe(0);
  await server.client.call("ACL", "SETUSER", "taker", "resetpass", ">another");
  const bad = await run(spec(server, opened.url, { source }));
  expect(bad).toMatchObject({ code: 1 });
  expect(last(bad.lines)).toMatchObject({
    type: "failure",
    report: { code: "wrong-password", operation: "back up", subject: "cache", transient: false },
  });
  for (const { stdout, stderr } of [good, bad]) expect(stdout + stderr).not.toContain(password);
});

test("a connection cut half-way fails the job, leaves no backup, and costs none of the old ones", async () => {
  await using server = await startRedisServer();
  await using opened = await temporaryStore();
  const only = { retention: { keepLast: 1 } };
  expect((await run(spec(server, opened.url, only))).code).toBe(0);
  const before = await names(opened.store);
  for (let key = 0; key < 5; key++) await server.client.set(`random:${key}`, randomBytes(1_000_000));
  await using proxy = await cuttingProxy(server.port, 2_000_000);
  const { code, lines } = await run(spec(proxy, opened.url, only));
  expect(code).toBe(1);
  expect(last(lines)).toMatchObject({ type: "failure", report: { code: "connection-cut", transient: true } });
  expect(await names(opened.store)).toEqual(before);
});

test("retention removes what is too many after the backup, and nothing else", async () => {
  await using server = await startRedisServer();
  await using opened = await temporaryStore();
  const slots: string[] = [];
  for (let count = 0; count < 3; count++) {
    const { lines } = await run(spec(server, opened.url, { retention: { keepLast: 2 } }));
    const result = last(lines);
    if (result?.type !== "result" || result.outcome !== "backed-up") throw new Error("no backup");
    expect(result.pruned).toEqual(count === 2 ? [slots[0]] : []);
    slots.push(result.slot);
  }
  const left = await names(opened.store);
  expect(left).toHaveLength(4);
  for (const slot of slots.slice(1)) expect(left).toContain(`${CATALOG}/${slot}.json`);
});

test.each(["SIGTERM", "SIGINT"] as const)(
  "%s ends it cleanly: a failure that may be tried again, and nothing left",
  async (signal) => {
    await using server = await startRedisServer({ args: ["--rdb-key-save-delay", "100000"] });
    await using opened = await temporaryStore();
    for (let key = 0; key < 100; key++) await server.client.set(`key:${key}`, key);
    await using running = start(JSON.stringify(spec(server, opened.url)));
    await until("the snapshot to be under way", async () =>
      /rdb_bgsave_in_progress:1/.test(await server.client.info("persistence")),
    );
    running.child.kill(signal);
    const { code, lines } = await running.ended;
    expect(code).toBe(1);
    expect(last(lines)).toMatchObject({ type: "failure", report: { code: "stopped", transient: true } });
    expect(await names(opened.store)).toEqual([]);
  },
);

test("kill -9 in the middle leaves nothing visible, and the next run succeeds", async () => {
  await using server = await startRedisServer();
  await using opened = await temporaryStore();
  for (let key = 0; key < 30; key++) await server.client.set(`random:${key}`, randomBytes(1_000_000));
  await using running = start(JSON.stringify(spec(server, opened.url)));
  let output = "";
  running.child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  await until("bytes to flow", () => output.includes("doneBytes"));
  running.child.kill("SIGKILL");
  await running.ended;
  expect(await names(opened.store)).toEqual([]);
  expect((await run(spec(server, opened.url))).code).toBe(0);
  expect(await names(opened.store)).toHaveLength(2);
});

test("it goes on when whoever started it has gone: no reader, no terminal", async () => {
  await using server = await startRedisServer({ args: ["--rdb-key-save-delay", "20000"] });
  await using opened = await temporaryStore();
  for (let key = 0; key < 20; key++) await server.client.set(`key:${key}`, key);
  await using running = start(JSON.stringify(spec(server, opened.url)));
  await until("the snapshot to be under way", async () =>
    /rdb_bgsave_in_progress:1/.test(await server.client.info("persistence")),
  );
  running.child.stdout.destroy();
  running.child.stderr.destroy();
  running.child.kill("SIGHUP");
  const [code] = (await once(running.child, "exit")) as [number | null];
  expect(code).toBe(0);
  expect(await names(opened.store)).toHaveLength(2);
});

test("its output may be a file: the last line is there when the process has ended", async () => {
  await using server = await startRedisServer();
  await using opened = await temporaryStore();
  await using folder = await temporaryFolder();
  const path = join(folder.path, "output.ndjson");
  const file = await open(path, "w", 0o600);
  const child = spawn(process.execPath, [program.path("provider/job/main.ts")], {
    stdio: ["pipe", file.fd, "ignore"],
    detached: true,
  });
  try {
    child.stdin?.end(JSON.stringify(spec(server, opened.url, { reason: { kind: "final" } })));
    await once(child, "exit");
  } finally {
    child.kill("SIGKILL");
    await file.close();
  }
  const lines = (await readFile(path, "utf8")).trimEnd().split("\n");
  expect(JobLineSchema.parse(JSON.parse(lines.at(-1) ?? ""))).toMatchObject({ outcome: "backed-up" });
  const [, manifest] = await names(opened.store);
  expect(JSON.parse(await readFile(new URL(`${opened.url}/${manifest}`), "utf8"))).toMatchObject({
    reason: "final",
  });
});

test.each([
  ["", "invalid"],
  ["{", "invalid"],
  [JSON.stringify({ kind: "backup", source: { password: "s3cret" } }), "source.host"],
])("a specification that is none, %j, is refused without its values", async (input, cause) => {
  await using running = start(input);
  const { code, lines, stdout, stderr } = await running.ended;
  expect(code).toBe(1);
  expect(last(lines)).toMatchObject({ type: "failure", report: { code: "invalid-job" } });
  expect(stdout.toLowerCase()).toContain(cause);
  expect(stdout + stderr).not.toContain("s3cret");
});
