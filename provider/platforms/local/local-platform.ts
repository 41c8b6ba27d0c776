import { ADMIN_USER } from "../../core/access";
import { nameProblem } from "../../core/addon-name";
import { Secret } from "../../core/secret";
import { reachableHost } from "../../core/settings";
import type { Task } from "../../core/task";
import { writeDurably } from "../../system/files";
import { freeBytes } from "../../system/free-bytes";
import { isAlive, type ProcessIdentity } from "../../system/processes";
import type { Placement, Platform } from "../contract";
import { AgentGone, callAgent } from "./agent-client";
import { readArmedLink } from "./armed-link-note";
import { checkServer } from "./check-server";
import { readConsoleNote } from "./console-note";
import { readDataMark } from "./data-mark";
import { agentKeepsLeaving, ensureAgent, runningAgent } from "./ensure-agent";
import { destinationIn, homePath, layoutOf, readIdentity, type AddonLayout, type HomeLayout } from "./home";
import { readLog } from "./log/read-log";
import { readBackupState, readProcessState } from "./process-state";
import type { AgentCalls } from "./protocol";
import { readRecord, recordedNames } from "./records";
import { serversOnPath } from "./servers";
import { readSyncNote } from "./sync-note";

/** An agent that is killed in the middle of a call is started again this often before the call gives up. */
const CALL_ATTEMPTS = 4;

/** Servers on this machine, below one data home. Reading looks at its files; changing asks its agent. */
export function localPlatform(dataHome: string | undefined): Platform {
  const layout = layoutOf(homePath(dataHome));
  // Who looks at all add-ons at once asks it once, not for each of them.
  const agent = joining(() => runningAgent(layout, AbortSignal.timeout(2_000)).catch(() => undefined));
  return {
    kind: "local",
    home: () => readIdentity(layout),
    check: (question) => checkServer(layout, question),
    names: () => recordedNames(layout),
    load: (name) => readRecord(layout, name),
    placement: (name) => placement(layout, name, agent),
    log: (name, query) => readLog(layout, name, query),
    apply: async (change, task) =>
      changing(layout, "apply", { change, servers: await serversOnPath() }, task),
    remove: async (request, task) => {
      // Absent is success, and no reason to start an agent.
      if (nameProblem(request.name) !== undefined || (await readRecord(layout, request.name)) === undefined)
        return { outcome: "absent" };
      return changing(layout, "remove", request, task);
    },
    handOver: (request, task) => changing(layout, "handOver", request, task),
    connect: (record) =>
      Promise.resolve({
        host: reachableHost(record.server.wish.bind),
        port: record.server.wish.port,
        username: ADMIN_USER,
        password: new Secret(record.credentials.adminPassword),
        [Symbol.asyncDispose]: () => Promise.resolve(),
      }),
    backUp: (name, task) => changing(layout, "backUp", { name }, task),
    switchOver: (request, task) => changing(layout, "switchOver", request, task),
    restore: (request, task) => changing(layout, "restore", request, task),
    restart: async (name, task) => {
      const process = await runningProcess(layout.addon(name));
      return changing(layout, "restart", { name, ...(process === undefined ? {} : { process }) }, task);
    },
    trustData: (name, task) => changing(layout, "trustData", { name }, task),
  };
}

/** A call that changes something; every one may be repeated, so an agent that was killed costs a new start, no error. */
async function changing<Name extends keyof AgentCalls>(
  layout: HomeLayout,
  name: Name,
  argument: AgentCalls[Name]["argument"],
  task: Task,
): Promise<AgentCalls[Name]["result"]> {
  for (let attempt = 1; ; attempt++) {
    await ensureAgent(layout, task.clock, task.signal);
    try {
      return await callAgent(layout.socket, name, argument, task);
    } catch (error) {
      if (!(error instanceof AgentGone)) throw error;
      if (attempt === CALL_ATTEMPTS) throw await agentKeepsLeaving(layout, error, task.signal);
      task.progress({ message: "the agent went away; starting it again" });
    }
  }
}

async function placement(
  layout: HomeLayout,
  name: string,
  askAgent: () => ReturnType<typeof runningAgent>,
): Promise<Placement | undefined> {
  const [record, home] = await Promise.all([readRecord(layout, name), readIdentity(layout)]);
  if (record === undefined || home === undefined) return undefined;
  const files = layout.addon(name);
  const [noted, lastRun, sync, mark, armed, free, agent] = await Promise.all([
    readProcessState(files),
    readBackupState(files),
    readSyncNote(files, record),
    readDataMark(files),
    readArmedLink(files).catch(() => undefined),
    // Absent until its server was first started.
    freeBytes(files.data).catch(() => undefined),
    askAgent(),
  ]);
  const destination = destinationIn(layout, record.backups?.wish);
  return {
    record,
    home,
    process: await processOf(noted),
    ...(agent === undefined
      ? { unattended: "the agent is not running: nothing restarts the server or takes backups" }
      : {}),
    destination,
    ...(lastRun === undefined ? {} : { lastRun }),
    ...(sync === undefined ? {} : { sync: { state: sync.state, since: sync.since } }),
    ...(mark?.distrusted === undefined ? {} : { distrusted: mark.distrusted.why }),
    ...(armed?.why === undefined ? {} : { mistrusts: armed.why }),
    ...(free === undefined ? {} : { freeBytes: free }),
  };
}

/** Asks, or waits with those who ask at this moment. */
function joining<Answer>(ask: () => Promise<Answer>): () => Promise<Answer> {
  let asked: Promise<Answer> | undefined;
  return () => {
    asked ??= ask().finally(() => {
      asked = undefined;
    });
    return asked;
  };
}

async function processOf(noted: Awaited<ReturnType<typeof readProcessState>>): Promise<Placement["process"]> {
  if (noted === undefined) return { state: "stopped", why: "it was never started" };
  if (noted.state === "stopped") return { state: "stopped", why: noted.why };
  if (noted.process === undefined || noted.state === "starting") return { state: "starting" };
  const { pid } = noted.process;
  if (!(await isAlive(noted.process))) return { state: "stopped", why: `its process ${pid} is gone` };
  return { state: "running", pid, ...(noted.trouble === undefined ? {} : { trouble: noted.trouble }) };
}

/** The process of an add-on's server that was noted down, where it still runs. */
async function runningProcess(files: AddonLayout): Promise<ProcessIdentity | undefined> {
  const noted = (await readProcessState(files))?.process;
  if (noted === undefined || !(await isAlive(noted))) return undefined;
  return { pid: noted.pid, startedAt: noted.startedAt };
}

/** Stops the agent of a data home; absent: none ran. */
export async function stopAgent(
  dataHome: string | undefined,
  keepServers: boolean,
  task: Task,
): Promise<{ stopped: readonly string[] } | undefined> {
  const layout = layoutOf(homePath(dataHome));
  try {
    return await callAgent(layout.socket, "stop", { keepServers }, task);
  } catch (error) {
    if (error instanceof AgentGone) return undefined;
    throw error;
  }
}

/** The agent of a data home, for people; absent: none runs. */
export async function agentStatus(dataHome: string | undefined) {
  const layout = layoutOf(homePath(dataHome));
  const agent = await runningAgent(layout, AbortSignal.timeout(5_000));
  const console = await readConsoleNote(layout);
  return { home: layout.root, agent, ...(console === undefined ? {} : { console: console.origin }) };
}

/**
 * An address of the console that logs in whoever opens it first, within ten minutes. Starts the agent where none runs.
 * It is a secret until it was used.
 */
export async function consoleLogin(dataHome: string | undefined, task: Task): Promise<{ url: string }> {
  return changing(layoutOf(homePath(dataHome)), "console", {}, task);
}

/** Writes the file that leads a browser to such an address, for this user alone, and returns its path. */
export async function consoleLoginPage(dataHome: string | undefined, url: string): Promise<string> {
  const { consoleLogin } = layoutOf(homePath(dataHome));
  const page = `<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url=${url}"><title>Redis add-ons</title>\n`;
  await writeDurably(consoleLogin, page, 0o600);
  return consoleLogin;
}

/** Starts the agent of a data home where none runs. */
export async function startAgent(dataHome: string | undefined, task: Task): Promise<void> {
  await ensureAgent(layoutOf(homePath(dataHome)), task.clock, task.signal);
}
