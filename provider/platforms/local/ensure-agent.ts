import { Failure } from "../../core/errors";
import type { Clock } from "../../core/task";
import { AgentGone, callAgent } from "./agent-client";
import { requireUsable, type HomeLayout } from "./home";
import { comparePackageVersions } from "./package-version";
import { thisProgram, type Program } from "./program";
import type { AgentInfo } from "./protocol";
import { spawnAgent, type SpawnedAgent } from "./spawn-agent";

const START_DEADLINE_MS = 30_000;
/** How long a started agent may take to answer before another one is tried: the first may have lost a race and left. */
const RESPAWN_AFTER_MS = 5_000;

/**
 * The data homes where this process has had an agent of its own build, or asked for one. Of two builds of one version
 * neither is newer: did each insist, they would evict each other's agent for ever.
 */
const hadItsTurn = new Set<string>();
/** Agents that were asked to leave: until they have left they still answer, and would cut a call short. */
const leaving = new Set<string>();

/** The agent that answers on this data home's socket; absent: none does. */
export async function runningAgent(layout: HomeLayout, signal: AbortSignal): Promise<AgentInfo | undefined> {
  try {
    return await callAgent(layout.socket, "info", {}, { signal, progress: () => undefined });
  } catch (error) {
    if (error instanceof AgentGone) return undefined;
    throw error;
  }
}

/**
 * Makes an agent of this build, or a newer one, answer. An older one is asked to leave and keep its servers, which the
 * new one adopts. Two callers at the same moment get one agent: the lock of the data home lets a single one live.
 */
export async function ensureAgent(layout: HomeLayout, clock: Clock, signal: AbortSignal): Promise<void> {
  await requireUsable(layout);
  const deadline = clock.now() + START_DEADLINE_MS;
  let spawned: { agent: SpawnedAgent; at: number } | undefined;
  while (clock.now() < deadline) {
    const mine = await thisProgram();
    const running = await runningAgent(layout, signal);
    if (running?.program === mine.id) hadItsTurn.add(layout.root);
    const isLeaving = running !== undefined && leaving.has(idOf(layout, running));
    if (running !== undefined && !isLeaving && !supersedes(mine, running, hadItsTurn.has(layout.root)))
      return;
    hadItsTurn.add(layout.root);
    if (running !== undefined && !isLeaving) {
      leaving.add(idOf(layout, running));
      await askToLeave(layout, signal);
    }
    const failure = spawned?.agent.failure();
    if (spawned !== undefined && failure !== undefined)
      throw await notStarted(layout, spawned.agent, failure);
    if (spawned === undefined || clock.now() - spawned.at > RESPAWN_AFTER_MS)
      spawned = { agent: await spawnAgent(layout, clock, signal), at: clock.now() };
    await clock.sleep(30, signal);
  }
  throw await notStarted(layout, spawned?.agent, `it did not answer within ${START_DEADLINE_MS / 1000} s`);
}

function idOf(layout: HomeLayout, { program, pid }: AgentInfo): string {
  return `${layout.root} ${program} ${pid}`;
}

/** Whether the running agent has to make room: for a newer version always, for another build of the same one once. */
export function supersedes(mine: Program, running: Omit<AgentInfo, "pid">, hadTurn: boolean): boolean {
  if (mine.id === running.program) return false;
  const order = comparePackageVersions(mine.version, running.version);
  return order > 0 || (order === 0 && !hadTurn);
}

/** What a caller is told whose call was cut again and again. */
export async function agentKeepsLeaving(layout: HomeLayout, last: AgentGone, signal: AbortSignal) {
  const [mine, running] = [await thisProgram(), await runningAgent(layout, signal)];
  const others = running !== undefined && running.program !== mine.id ? running : undefined;
  return new Failure({
    code: "agent-gone",
    operation: "reach the agent of",
    subject: layout.root,
    cause:
      others === undefined
        ? `it went away again and again in the middle of the call (${last.message})`
        : `two different builds of pulumi-redis-addon are using this data home, ${mine.id} and ${others.program}, and each stops the other's agent`,
    hint:
      others === undefined
        ? `Read ${layout.agentLog}, then try again`
        : "Let one finish before the other starts, or give one of them a data home of its own",
    transient: true,
  });
}

/** Asks the agent that answers to leave and keep its servers; that none does is success. */
export async function askToLeave(layout: HomeLayout, signal: AbortSignal): Promise<void> {
  try {
    await callAgent(layout.socket, "stop", { keepServers: true }, { signal, progress: () => undefined });
  } catch (error) {
    if (!(error instanceof AgentGone)) throw error;
  }
}

async function notStarted(layout: HomeLayout, agent: SpawnedAgent | undefined, cause: string) {
  return new Failure({
    code: "agent-not-started",
    operation: "start the agent of",
    subject: layout.root,
    cause: `${cause}; its log ends with: ${(await agent?.log()) ?? "nothing"}`,
    hint: `Read ${layout.agentLog}, then try again`,
    transient: true,
  });
}
