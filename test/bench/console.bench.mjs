// The console's list of many add-ons: how soon a person sees it, against what they would use instead, `redis-addon list`
// and a loop of redis-cli over all servers; and what agent and console cost while nobody looks. Real add-ons, empty, each
// with a server of its own.
//
// BENCH_ADDONS changes how many (default 200), BENCH_ROUNDS how often the slow parts are repeated (default 5).
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { endFleet, makeFleet } from "./console/fleet.mjs";
import { fetched, logIn, newTab, openChromium, shown } from "./console/page.mjs";
import { cpuPercent, residentMib } from "./console/processes.mjs";
import { median } from "./support/statistics.mjs";

const run = promisify(execFile);
const ADDONS = Number(process.env["BENCH_ADDONS"] ?? 200);
const ROUNDS = Number(process.env["BENCH_ROUNDS"] ?? 5);
const WARM_LOADS = 20;
/** Somebody who looked this long ago is taken for gone: the console then looks at the add-ons less often. */
const UNWATCHED_AFTER_MS = 40_000;
const REST_MS = 30_000;
const WANTED_MS = 1_000;
const CLI = join(import.meta.dirname, "../../dist/provider/cli/main.js");

const folder = await mkdtemp(join(tmpdir(), "rac-"));
const home = join(folder, "home");
try {
  const startedAt = performance.now();
  const fleet = await makeFleet(home, ADDONS);
  const tookSeconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  console.log(`${availableParallelism()} cores, ${ADDONS} add-ons, made in ${tookSeconds} s`);
  await pages(fleet);
  await instead(fleet);
  await atRest(fleet);
} finally {
  await endFleet(home);
  await rm(folder, { recursive: true, force: true });
}
// The client's pools of connections would keep it open.
process.exit(process.exitCode);

async function pages(fleet) {
  const browser = await openChromium();
  try {
    const cold = [];
    const coldFetches = [];
    for (let round = 0; round < ROUNDS; round++) {
      coldFetches.push(await withNewConsole(fleet, (origin, cookie) => fetched(origin, cookie, isWhole)));
      cold.push(
        await withNewConsole(fleet, async (origin, cookie) => {
          const page = await newTab(browser, origin, cookie);
          const times = await shown(page, origin, names());
          await page.context().close();
          return times;
        }),
      );
    }
    const { origin, cookie } = await session(fleet);
    const page = await newTab(browser, origin, cookie);
    const warm = [];
    const warmFetches = [];
    for (let load = 0; load < WARM_LOADS; load++) {
      warmFetches.push(await fetched(origin, cookie, isWhole));
      warm.push(await shown(page, origin, names()));
    }
    console.log(`\nthe list, ${median(warmFetches.map(({ kib }) => kib)).toFixed(0)} KiB of HTML`);
    print("first byte, console just started", coldFetches, "firstByteMs");
    print("whole HTML, console just started", coldFetches, "wholeMs");
    print("first byte", warmFetches, "firstByteMs");
    print("whole HTML", warmFetches, "wholeMs");
    console.log("in Chromium");
    print("first painted, console just started, nothing cached", cold, "paintedMs");
    print("whole page, console just started, nothing cached", cold, "loadedMs");
    print("first painted, seen before", warm, "paintedMs");
    print("whole page, seen before", warm, "loadedMs");
    const typicalMs = Math.max(...[cold, warm].map((loads) => median(loads.map(({ loadedMs }) => loadedMs))));
    const isFast = typicalMs < WANTED_MS;
    console.log(`  ${isFast ? "there" : "NOT there"} in under ${WANTED_MS} ms, as a rule`);
    if (!isFast) process.exitCode = 1;
  } finally {
    await browser.close();
  }
}

/** What a person would use instead, each from its start to its last line. */
async function instead({ addons }) {
  const list = [];
  const loop = [];
  const script = join(folder, "info.sh");
  const lines = addons.map(
    ({ port, password }) => `REDISCLI_AUTH=${password} redis-cli -p ${port} INFO > /dev/null`,
  );
  await writeFile(script, `set -e\n${lines.join("\n")}\n`, { mode: 0o600 });
  for (let round = 0; round < ROUNDS; round++) {
    list.push({ ms: await timed(process.execPath, CLI, "--home", home, "list") });
    loop.push({ ms: await timed("bash", script) });
  }
  console.log("\ninstead");
  print("redis-addon list", list, "ms");
  print("redis-cli INFO, one after another", loop, "ms");
}

async function atRest({ agentPid }) {
  const { pid } = await consoleNote();
  const agent = await agentPid();
  await sleep(UNWATCHED_AFTER_MS);
  const [agentCpu, consoleCpu] = await Promise.all([
    cpuPercent([agent], REST_MS),
    cpuPercent([pid], REST_MS),
  ]);
  console.log("\nwhile nobody looks");
  for (const [name, cpu, of] of [
    ["agent", agentCpu, agent],
    ["console", consoleCpu, pid],
  ])
    console.log(`  ${name.padEnd(9)} ${cpu.toFixed(1)} % of a core, ${residentMib(of).toFixed(0)} MiB`);
}

/** A console that has looked at no add-on yet: the one that ran is killed, and the agent starts another. */
async function withNewConsole(fleet, work) {
  await session(fleet);
  const { pid } = await consoleNote();
  process.kill(pid, "SIGKILL");
  while ((await consoleNote())?.pid === pid) await sleep(20);
  const { origin, cookie } = await session(fleet);
  return work(origin, cookie);
}

async function session({ login }) {
  const url = await login();
  return { origin: new URL(url).origin, cookie: await logIn(url) };
}

/** Where the agent notes its console's process; absent while none runs. */
async function consoleNote() {
  const text = await readFile(join(home, "console.json"), "utf8").catch(() => undefined);
  return text === undefined ? undefined : JSON.parse(text);
}

function names() {
  return Array.from({ length: ADDONS }, (_, i) => `bench-${String(i + 1).padStart(3, "0")}`);
}

function isWhole(text) {
  return names().every((name) => text.includes(name)) && text.includes("</html>");
}

async function timed(command, ...args) {
  const startedAt = performance.now();
  await run(command, args, { maxBuffer: 64 * 1024 * 1024 });
  return performance.now() - startedAt;
}

function print(what, rounds, figure) {
  const values = rounds.map((round) => round[figure]);
  const [typical, most] = [median(values), Math.max(...values)].map((ms) =>
    `${ms.toFixed(0)} ms`.padStart(8),
  );
  console.log(`  ${what.padEnd(55)} median ${typical}   most ${most}`);
}
