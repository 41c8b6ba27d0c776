import { spawn } from "node:child_process";
import { mkdir, open, readFile } from "node:fs/promises";
import { Failure } from "../../core/errors";
import type { Clock } from "../../core/task";
import { AgentGone, callAgent } from "./agent-client";
import type { HomeLayout } from "./home";
import { keepNode, keepProgram, thisProgram, type Program } from "./program";
import type { AgentInfo } from "./protocol";

const START_DEADLINE_MS = 30_000;
/** How long a started agent may take to answer before another one is tried: the first may have lost a race and left. */
const RESPAWN_AFTER_MS = 5_000;

/** What the agent may see of the environment: the engine's holds passphrases and tokens, and a process's can be read. */
const PASSED_ON = /^(PATH|HOME|USER|LOGNAME|SHELL|TMPDIR|TZ|LANG|LC_.*|XDG_.*)$/;

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
  const mine = await thisProgram();
  const deadline = clock.now() + START_DEADLINE_MS;
  let spawnedAt = -Infinity;
  while (clock.now() < deadline) {
    const agent = await runningAgent(layout, signal);
    if (agent !== undefined && !supersedes(mine, agent)) return;
    if (agent !== undefined) await askToLeave(layout, signal);
    if (clock.now() - spawnedAt > RESPAWN_AFTER_MS) {
      await spawnAgent(layout, mine);
      spawnedAt = clock.now();
    }
    await clock.sleep(30, signal);
  }
  throw new Failure({
    code: "agent-not-started",
    operation: "start the agent of",
    subject: layout.root,
    cause: `it did not answer within ${START_DEADLINE_MS / 1000} s; its log ends with: ${await lastLines(layout.agentLog)}`,
    hint: `Read ${layout.agentLog}, then try again`,
    transient: true,
  });
}

/** A newer version takes over from an older one; of two builds of one version the one that asks is right. */
function supersedes(mine: Program, running: AgentInfo): boolean {
  if (mine.id === running.program) return false;
  return mine.version.localeCompare(running.version, "en", { numeric: true }) >= 0;
}

async function askToLeave(layout: HomeLayout, signal: AbortSignal): Promise<void> {
  try {
    await callAgent(layout.socket, "stop", { keepServers: true }, { signal, progress: () => undefined });
  } catch (error) {
    if (!(error instanceof AgentGone)) throw error;
  }
}

async function spawnAgent(layout: HomeLayout, program: Program): Promise<void> {
  await mkdir(layout.root, { recursive: true, mode: 0o700 });
  const entry = await keepProgram(layout, program);
  const node = await keepNode(layout);
  const log = await open(layout.agentLog, "a", 0o600);
  try {
    const environment = Object.entries(process.env).filter(([name]) => PASSED_ON.test(name));
    const child = spawn(node, ["--disable-warning=ExperimentalWarning", entry, "--home", layout.root], {
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
      cwd: layout.root,
      env: Object.fromEntries(environment),
    });
    // A start that fails shows in the deadline's message; without a listener it would end this process.
    child.on("error", () => undefined);
    child.unref();
  } finally {
    await log.close();
  }
}

async function lastLines(path: string): Promise<string> {
  const text = await readFile(path, "utf8").catch(() => "");
  return text.trim().split("\n").slice(-3).join(" | ") || "nothing";
}
