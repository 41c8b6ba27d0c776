import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Task } from "../../provider/core/task";
import { agentStatus, startAgent, stopAgent } from "../../provider/operations/agent";
import { localPlatform } from "../../provider/platforms/local/local-platform";
import type { Claim, Platform, ServerRequest } from "../../provider/platforms/contract";
import { systemClock } from "../../provider/system/clock";

/** A data home of a test's own; disposing it stops its agent and servers and removes it. */
export interface TestHome extends AsyncDisposable {
  readonly path: string;
  readonly platform: Platform;
  /** A new one at each look: its deadline begins then. */
  readonly task: Task;
  /** Everything that was reported as progress, in order. */
  readonly messages: string[];
  agentPid(): Promise<number>;
  serverPid(name: string): Promise<number>;
}

export async function makeTestHome(): Promise<TestHome> {
  const path = await mkdtemp(join(tmpdir(), "rah-"));
  const messages: string[] = [];
  const newTask = (): Task => ({
    signal: AbortSignal.timeout(90_000),
    clock: systemClock,
    progress: ({ message }) => messages.push(message),
  });
  return {
    path,
    platform: localPlatform(path),
    get task() {
      return newTask();
    },
    messages,
    agentPid: async () => {
      const { agent } = await agentStatus(path);
      if (agent === undefined) throw new Error(`no agent runs for ${path}`);
      return agent.pid;
    },
    serverPid: async (name) => {
      const noted: unknown = JSON.parse(await readFile(join(path, "addons", name, "process.json"), "utf8"));
      const { process } = noted as { process?: { pid: number } };
      if (process !== undefined) return process.pid;
      throw new Error(`no server of ${name} runs`);
    },
    [Symbol.asyncDispose]: async () => {
      // An agent that a test has killed left servers behind: a new one adopts them to stop them.
      const cleanUp = newTask();
      await startAgent(path, cleanUp);
      await stopAgent(path, false, cleanUp);
      await rm(path, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

export const OWNER = { project: "shop", stack: "dev" };

export function creates(token: string, owner = OWNER): Claim {
  return { kind: "create", token, caller: owner };
}

export function carries(token: string): Claim {
  return { kind: "carry", token };
}

export const SMALL: ServerRequest = {
  plan: "s_mono",
  tier: "standard",
  access: "standard",
  evictionPolicy: "noeviction",
  bind: "127.0.0.1",
  persistence: "everysec",
  settings: {},
  labels: {},
  deletion: { finalBackup: true },
};

/** Waits for a condition; a test never sleeps for a time that it hopes to be long enough. */
export async function eventually<Value>(
  what: string,
  look: () => Promise<Value | undefined | false>,
  deadlineMs = 20_000,
): Promise<Value> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const seen = await look();
    if (seen !== undefined && seen !== false) return seen;
    if (Date.now() > end) throw new Error(`it did not happen within ${deadlineMs} ms: ${what}`);
    await systemClock.sleep(50);
  }
}
