// Many real add-ons in a data home of their own, made through an agent as programs make them.
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { join } from "node:path";

const require = createRequire(import.meta.url);
const dist = (path) => require(join(import.meta.dirname, "../../../dist/provider", path));
const { localPlatform } = dist("platforms/local/local-platform.js");
const { agentStatus, consoleLogin, startAgent, stopAgent } = dist("operations/agent.js");
const { provision } = dist("operations/provision.js");
const { systemClock } = dist("system/clock.js");

/** So many are made at once. */
const AT_ONCE = 8;
const WISH = {
  plan: "s_mono",
  tier: "standard",
  access: "standard",
  evictionPolicy: "noeviction",
  bind: "127.0.0.1",
  persistence: "everysec",
  settings: {},
  labels: {},
  deletion: { finalBackup: false },
};

const task = () => ({
  signal: AbortSignal.timeout(600_000),
  clock: systemClock,
  progress: () => undefined,
});

export async function makeFleet(home, count) {
  const platform = localPlatform(home);
  await startAgent(home, task());
  const waiting = Array.from({ length: count }, (_, i) => `bench-${String(i + 1).padStart(3, "0")}`);
  const addons = [];
  const make = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      const claim = { kind: "create", token: randomUUID(), caller: { project: "bench", stack: "console" } };
      const { record } = await provision(platform, { name, claim, wish: WISH, given: ["plan"] }, task());
      addons.push({ port: record.server.wish.port, password: record.credentials.password });
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, make));
  return {
    addons,
    agentPid: async () => (await agentStatus(home)).agent.pid,
    login: async () => (await consoleLogin(home, task())).url,
  };
}

/** Ends the servers, the console and the agent, whatever is there of them. */
export function endFleet(home) {
  return stopAgent(home, false, task());
}
