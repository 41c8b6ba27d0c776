import { mkdir, readFile, rm } from "node:fs/promises";
import { userInfo } from "node:os";
import { dirname } from "node:path";
import { Failure } from "../../../core/errors";
import type { Task } from "../../../core/task";
import { writeDurably } from "../../../system/files";
import { identify, waitForEnd } from "../../../system/processes";
import { askToLeave, ensureAgent, runningAgent } from "../ensure-agent";
import { homePath, layoutOf, type HomeLayout } from "../home";
import { runTool } from "./run-tool";
import { serviceOf, type ServiceFile } from "./service-definition";
import { managerOf } from "./service-managers";

/** An agent that leaves lets what it has begun come to an end first. */
const LEAVE_DEADLINE_MS = 15_000;
const ANSWER_DEADLINE_MS = 20_000;
const LOOK_EVERY_MS = 50;

export interface InstalledService {
  readonly kind: ServiceFile["kind"];
  readonly name: string;
  readonly path: string;
  /** The agent that it started. */
  readonly pid: number;
  /** Whether systemd runs this user's services without a login; absent: it isn't systemd, or doesn't tell. */
  readonly lingering?: boolean;
}

/** The file that would be installed; writes nothing. */
export function previewService(dataHome: string | undefined): ServiceFile {
  return serviceOf(layoutOf(homePath(dataHome)));
}

/**
 * Has the system's service manager run the data home's agent: from now on, and after each boot or login. An agent that
 * runs already makes room, and its servers run on. May be repeated.
 */
export async function installService(dataHome: string | undefined, task: Task): Promise<InstalledService> {
  const layout = layoutOf(homePath(dataHome));
  const file = serviceOf(layout);
  const { kind, name, path } = file;
  const manager = managerOf(file);
  await manager.require(task.signal);
  // It keeps a copy of this build, unless a newer one is there, and writes how to start it again.
  await ensureAgent(layout, task.clock, task.signal);
  await mkdir(dirname(path), { recursive: true });
  await writeDurably(path, file.text, 0o600);
  await manager.register(task.signal);
  await makeRoom(layout, task);
  task.progress({ message: `${kind} is starting the agent` });
  try {
    await manager.start(task.signal);
    const pid = await answering(layout, manager.look, task);
    const lingering = await isLingering(file, task.signal);
    return { kind, name, path, pid, ...(lingering === undefined ? {} : { lingering }) };
  } catch (error) {
    // Whatever became of the service: servers that an agent looked after are not left without one.
    await ensureAgent(layout, task.clock, AbortSignal.timeout(ANSWER_DEADLINE_MS));
    throw error;
  }
}

/**
 * Starts the agent where none runs: by its service where there is one, so that it is started again where it crashes;
 * otherwise, and where the service manager can't be reached, as a change starts it.
 */
export async function startInstalledAgent(dataHome: string | undefined, task: Task): Promise<void> {
  const layout = layoutOf(homePath(dataHome));
  const file = serviceFileOf(layout);
  if (
    file !== undefined &&
    (await isInstalled(file)) &&
    (await runningAgent(layout, task.signal)) === undefined
  ) {
    const manager = managerOf(file);
    await manager
      .start(task.signal)
      .then(() => answering(layout, manager.look, task))
      .catch(() => task.signal.throwIfAborted());
  }
  await ensureAgent(layout, task.clock, task.signal);
}

/** Takes the service away; an agent that ran is started again as a command starts one. False: there was no service. */
export async function uninstallService(
  dataHome: string | undefined,
  task: Task,
): Promise<{ readonly path: string; readonly removed: boolean }> {
  const layout = layoutOf(homePath(dataHome));
  const file = serviceOf(layout);
  if (!(await isInstalled(file))) return { path: file.path, removed: false };
  const manager = managerOf(file);
  await manager.require(task.signal);
  const ran = await runningAgent(layout, task.signal);
  await manager.forget(task.signal);
  await rm(file.path, { force: true });
  await manager.forgotten(task.signal);
  if (ran !== undefined) await ensureAgent(layout, task.clock, task.signal);
  return { path: file.path, removed: true };
}

export async function isInstalled({ path }: ServiceFile): Promise<boolean> {
  return readFile(path).then(
    () => true,
    () => false,
  );
}

/** Whether systemd runs this user's services without a login; absent: nobody tells. */
export async function isLingering({ kind }: ServiceFile, signal: AbortSignal): Promise<boolean | undefined> {
  if (kind !== "systemd") return undefined;
  const answer = await runTool("loginctl", ["show-user", userInfo().username, "--property=Linger"], signal);
  if (answer.outcome === "done") return answer.output === "Linger=yes";
  // So it says of who is not logged in and doesn't linger.
  return /not logged in/.test(answer.why) ? false : undefined;
}

/** Absent: no service is possible on this system, or for this data home. */
function serviceFileOf(layout: HomeLayout): ServiceFile | undefined {
  try {
    return serviceOf(layout);
  } catch {
    return undefined;
  }
}

/** The agent that runs leaves, and keeps its servers. */
async function makeRoom(layout: HomeLayout, task: Task): Promise<void> {
  const running = await runningAgent(layout, task.signal);
  const agent = running && (await identify(running.pid));
  if (agent === undefined) return;
  await askToLeave(layout, task.signal);
  if (await waitForEnd(agent, LEAVE_DEADLINE_MS, task.clock)) return;
  throw new Failure({
    code: "agent-busy",
    operation: "have a service take over from the agent of",
    subject: layout.root,
    cause: `process ${agent.pid} did not leave within ${LEAVE_DEADLINE_MS / 1000} s`,
    hint: "Try again once backups and changes that are under way have ended",
    transient: true,
  });
}

async function answering(layout: HomeLayout, look: string, task: Task): Promise<number> {
  const end = task.clock.now() + ANSWER_DEADLINE_MS;
  for (;;) {
    const running = await runningAgent(layout, task.signal);
    if (running !== undefined) return running.pid;
    if (task.clock.now() >= end)
      throw new Failure({
        code: "agent-not-started",
        operation: "have a service start the agent of",
        subject: layout.root,
        cause: `it did not answer within ${ANSWER_DEADLINE_MS / 1000} s, so it was started without the service`,
        hint: `Look at it: ${look}, and at ${layout.agentLog}`,
      });
    await task.clock.sleep(LOOK_EVERY_MS, task.signal);
  }
}
