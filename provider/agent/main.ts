import { readdir, rm, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { parseArgs } from "node:util";
import { consoleSetting } from "../core/console-setting";
import { Failure } from "../core/errors";
import type { Task } from "../core/task";
import { ensureHome, layoutOf, type HomeLayout } from "../platforms/local/home";
import { thisProgram } from "../platforms/local/program";
import { writeLauncher } from "../platforms/local/service/launcher";
import { systemClock } from "../system/clock";
import { writeDurably } from "../system/files";
import { tryLock } from "../system/lock";
import { BackupRunner } from "./backups/backup-runner";
import { boundLogs } from "./bound-logs";
import { ConsoleKeeper } from "./console/keep-console";
import { Activity } from "./idle";
import { log } from "./log";
import { AgentService } from "./service";
import { serve } from "./socket";
import { Supervisor } from "./supervisor";

/** How long calls that were aborted may take to say so. */
const CALLS_DEADLINE_MS = 5_000;

/** The local platform's daemon: the single writer of one data home. */
async function main(): Promise<void> {
  const { values } = parseArgs({ options: { home: { type: "string" } } });
  if (values.home === undefined) throw new Error("usage: main.js --home <data home>");
  const layout = layoutOf(values.home);
  process.umask(0o077);
  const lock = await lockOrLeave(layout);
  if (lock === undefined || (await wasStoppedSince(layout, bornAt()))) return;

  const identity = await ensureHome(layout);
  await writeLauncher(layout, __filename).catch((error: unknown) => {
    log(`what starts the agent again can't be written: ${String(error)}`);
  });
  const program = await thisProgram();
  const leaving = new AbortController();
  const background: Task = { signal: leaving.signal, clock: systemClock, progress: () => undefined };
  const supervisor = new Supervisor(layout, systemClock);
  const backups = new BackupRunner(layout, systemClock, leaving.signal);
  const service = new AgentService(layout, identity, supervisor, backups, background);

  const activity = new Activity(systemClock);
  const pages = new ConsoleKeeper({
    ...{ layout, identity, clock: systemClock },
    setting: consoleSetting(process.env["REDIS_ADDON_CONSOLE"]),
    settled: (deadlineMs) => activity.settled(deadlineMs),
    onUse: () => void activity.during(Promise.resolve()),
  });
  const leave = (): void => {
    leaving.abort(new Error("the agent is leaving"));
  };
  const calls = new AbortController();
  const stopEverything = async (task: Task): Promise<string[]> => {
    // What is under way must not start a server again that was just stopped.
    calls.abort(agentStopped(layout));
    await activity.settled(CALLS_DEADLINE_MS);
    await noteStop(layout);
    return supervisor.stopAll(task);
  };
  const server = await serve(
    layout.socket,
    {
      info: async () => ({ program: program.id, version: program.version, pid: process.pid }),
      apply: ({ change, servers }, task) => activity.during(service.apply(change, servers, task)),
      remove: (request, task) => activity.during(service.remove(request, task)),
      handOver: (request) => activity.during(service.handOver(request)),
      backUp: ({ name }, task) => activity.during(service.backUp(name, task)),
      switchOver: (request, task) => activity.during(service.switchOver(request, task)),
      restore: (request, task) => activity.during(service.restore(request, task)),
      restart: (call, task) => activity.during(service.restart(call, task)),
      trustData: ({ name }, task) => activity.during(service.trustData(name, task)),
      console: async (_, task) => ({ url: await activity.during(pages.login(task)) }),
      stop: async ({ keepServers }, task) => {
        try {
          return { stopped: keepServers ? [] : await stopEverything(task) };
        } finally {
          // After the answer is out: the caller would take a cut answer for a crash. Also where a server can't be
          // stopped: the next agent adopts it.
          setImmediate(leave);
        }
      },
    },
    AbortSignal.any([leaving.signal, calls.signal]),
    systemClock,
  );
  // Who calls from now on starts the next agent, which waits for this one's lock.
  leaving.signal.addEventListener("abort", () => void server.close());
  log(`agent ${program.id} (process ${process.pid}) serves ${layout.root}`);
  // Servers are left running: a terminal that closes or a machine's clean-up of users must not take databases away.
  for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.on(signal, leave);

  await Promise.all([
    leaveWithHome(supervisor.run(background, identity)),
    backups.run(),
    boundLogs(layout, systemClock, leaving.signal),
    pages.run(leaving.signal),
    clearAway(layout, program.id),
    activity.untilIdle(layout, leaving.signal).then(leave),
  ]);
  await activity.settled(CALLS_DEADLINE_MS);
  server.close();
  server.closeAllConnections();
  await rm(layout.socket, { force: true });
  lock[Symbol.dispose]();
  log("agent left");
  process.exit(0);
}

/** Whatever lies at the data home's paths once it was removed, the socket included, belongs to somebody else. */
async function leaveWithHome(end: Promise<"told-to" | "home-lost">): Promise<void> {
  if ((await end) === "home-lost") process.exit(0);
}

/** Who waits for an agent that a person stopped must not start it again, as it would one that crashed. */
function agentStopped(layout: HomeLayout): Failure {
  return new Failure({
    code: "agent-stopped",
    operation: "finish the call to the agent of",
    subject: layout.root,
    cause: "it was stopped meanwhile",
    hint: "Start it again: redis-addon agent start",
    transient: true,
  });
}

/** Another agent may be on its way out: it has answered its last call and still holds the lock for a moment. */
async function lockOrLeave(layout: HomeLayout): Promise<Disposable | undefined> {
  for (let attempt = 0; attempt < 20; attempt++) {
    const lock = tryLock(layout.lock);
    if (lock !== undefined) return lock;
    await systemClock.sleep(100);
  }
  return undefined;
}

/** When this process was started, by the system's clock. */
function bornAt(): number {
  return systemClock.now() - process.uptime() * 1000;
}

/**
 * A process that was started beside the agent which a person has stopped meanwhile, and that waited for its lock, must
 * not bring everything up again.
 */
async function wasStoppedSince(layout: HomeLayout, start: number): Promise<boolean> {
  const noted = await stat(layout.stopped).catch(() => undefined);
  // One from the future was noted by a clock that has been set back since.
  return noted !== undefined && noted.mtimeMs > start && noted.mtimeMs <= systemClock.now();
}

async function noteStop(layout: HomeLayout): Promise<void> {
  await writeDurably(layout.stopped, "", 0o600);
}

/** What was discarded when an earlier agent was killed, and builds that no process runs from any more. */
async function clearAway(layout: HomeLayout, program: string): Promise<void> {
  for (const entry of await readdir(layout.trash).catch(() => [])) await discard(join(layout.trash, entry));
  // A job of the previous build may still load parts of it.
  if ((await readdir(layout.jobs).catch(() => ["unknown"])).length > 0) return;
  const inUse = new Set([program, basename(process.execPath)]);
  for (const entry of await readdir(layout.programs).catch(() => []))
    if (!inUse.has(entry) && !entry.endsWith(".tmp")) await discard(join(layout.programs, entry));
}

/** What can't be removed costs disk space, and no database. */
async function discard(path: string): Promise<void> {
  await rm(path, { recursive: true, force: true }).catch((error: unknown) => {
    log(`${path} can't be removed: ${String(error)}`);
  });
}

main().catch((error: unknown) => {
  log(`agent failed: ${error instanceof Error ? error.stack || error.message : String(error)}`);
  process.exit(1);
});
