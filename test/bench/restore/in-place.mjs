// Restores a backup into an add-on of a data home of its own, twice: into an empty one, then in place of the data that
// it has then, which are backed up before. Prints how long each took, and how long users could not write meanwhile.
import { createRequire } from "node:module";
import { join } from "node:path";

const [home, source] = process.argv.slice(2);
const require = createRequire(import.meta.url);
const dist = (path) => require(join(import.meta.dirname, "../../../dist/provider", path));
const { localPlatform } = dist("platforms/local/local-platform.js");
const { startAgent, stopAgent } = dist("operations/agent.js");
const { systemClock } = dist("system/clock.js");

const task = () => ({
  signal: AbortSignal.timeout(10 * 60_000),
  clock: systemClock,
  progress: () => undefined,
});
const platform = localPlatform(home);
const name = "bench";
const from = { addon: name, backup: JSON.parse(source).slot };
const wish = {
  plan: { memory: "4gb", connections: 100, databases: 16 },
  tier: "standard",
  access: "standard",
  evictionPolicy: "noeviction",
  bind: "127.0.0.1",
  persistence: "everysec",
  settings: {},
  labels: {},
  deletion: { finalBackup: false },
};

await startAgent(home, task());
try {
  const claim = { kind: "create", token: "bench", caller: { project: "bench", stack: "bench" } };
  await platform.apply({ facet: "server", name, claim, given: [], wish }, task());
  for (const onData of ["refuse", "replace"]) {
    const startedAt = performance.now();
    const person = { kind: "person" };
    const result = await platform.restore(
      { name, claim: person, from, source: JSON.parse(source), onData },
      task(),
    );
    if (result.outcome !== "restored") throw new Error(`it answered ${result.outcome}`);
    const wallSeconds = (performance.now() - startedAt) / 1000;
    const { downtimeMs, record, safetyBackup } = result;
    const { keys } = record.restored;
    console.log(JSON.stringify({ wallSeconds, downtimeMs, keys, safetyBytes: safetyBackup?.sizeBytes ?? 0 }));
  }
} finally {
  await stopAgent(home, false, task());
}
process.exit();
