import { spawn } from "node:child_process";
import { mkdir, open, readFile, stat } from "node:fs/promises";
import type { Clock } from "../../core/task";
import { DAEMON_FLAGS } from "../../system/daemon-flags";
import { agentEnvironment } from "./agent-environment";
import type { HomeLayout } from "./home";
import { keepProgram, type Program } from "./program";

/** What Node writes about an error besides its message. */
const NOISE = /^(\s+at |Node\.js v|\s*$)/;

export interface SpawnedAgent {
  readonly program: Program;
  /** Why it can't be the agent; absent: it runs, or it left because another one is faster. */
  failure(): string | undefined;
  /** What the log says since it was started. */
  log(): Promise<string>;
}

/** Starts an agent from its own copy of this build. It leaves by itself where another one holds the data home. */
export async function spawnAgent(
  layout: HomeLayout,
  clock: Clock,
  signal: AbortSignal,
): Promise<SpawnedAgent> {
  await mkdir(layout.root, { recursive: true, mode: 0o700 });
  const { program, entry, node } = await keepProgram(layout, clock, signal);
  const logStart = await stat(layout.agentLog).then(
    (found) => found.size,
    () => 0,
  );
  const log = await open(layout.agentLog, "a", 0o600);
  let failure: string | undefined;
  try {
    const child = spawn(node, [...DAEMON_FLAGS, entry, "--home", layout.root], {
      detached: true,
      stdio: ["ignore", log.fd, log.fd],
      cwd: layout.root,
      env: agentEnvironment(process.env),
    });
    child.on("error", (error) => {
      failure = error.message;
    });
    // One that was killed may be started again; only one that gave up by itself would do so once more.
    child.on("exit", (code) => {
      if (code !== null && code !== 0) failure = `it ended with exit code ${code}`;
    });
    child.unref();
  } finally {
    await log.close();
  }
  return { program, failure: () => failure, log: () => lastLines(layout.agentLog, logStart) };
}

async function lastLines(path: string, from: number): Promise<string> {
  const text = (await readFile(path).catch(() => Buffer.alloc(0))).subarray(from).toString("utf8");
  const lines = text.split("\n").filter((line) => !NOISE.test(line));
  return lines.slice(-3).join(" | ") || "nothing";
}
