// Restoring a backup into a folder and loading it there, against redis-server loading the same RDB where it lies: what
// any restore takes at least. The same data, in turn, in one run; decompressing the archive is measured by itself, as
// the RDB that it is compared with was never compressed.
//
// BENCH_DATA=json,small,random chooses among the data, BENCH_ROUNDS repeats (default 3).
import { spawn } from "node:child_process";
import { once } from "node:events";
import { copyFile, mkdir, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { text } from "node:stream/consumers";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { datasets, fill } from "./support/fill.mjs";
import { measured } from "./support/measure.mjs";
import { answers, freePort } from "./support/ports.mjs";
import { median, spread } from "./support/statistics.mjs";

const ROUNDS = Number(process.env["BENCH_ROUNDS"] ?? 3);
const chosen = (process.env["BENCH_DATA"] ?? "json,small").split(",");
const DIST = join(import.meta.dirname, "../../dist/provider");
const LOAD = join(import.meta.dirname, "restore/load.mjs");
const UNPACK = join(import.meta.dirname, "restore/unpack.mjs");
const NAME = "bench";

const folder = await mkdtemp(join(tmpdir(), "redis-addon-bench-"));
const children = [];
try {
  console.log(`${availableParallelism()} cores; medians of ${ROUNDS} rounds in turn`);
  for (const name of chosen) await compare(name);
} finally {
  for (const child of children) child.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true });
}

async function compare(name) {
  const data = datasets[name];
  console.log(`\n${data.words}`);
  const work = join(folder, name);
  const { archive, version, slot } = await backedUp(data, work);
  const job = join(work, "job.json");
  const restored = join(work, "restored");
  await writeFile(job, JSON.stringify(restoreJob(work, restored, slot, version)));
  const restore = `${process.execPath} ${join(DIST, "job/main.js")} < ${job}`;
  const load = (from, how) => `${process.execPath} ${LOAD} ${from} ${how}`;
  const contenders = {
    "load alone": [load(join(work, "plain"), "plain")],
    "job and load": [restore, load(restored, "configured")],
    decompression: [`${process.execPath} ${UNPACK} ${archive}`],
    "gzip -dc": [`gzip -dc ${archive} > /dev/null`],
  };
  const results = Object.fromEntries(Object.keys(contenders).map((contender) => [contender, []]));
  for (let round = 0; round < ROUNDS; round++)
    for (const [contender, commands] of Object.entries(contenders)) {
      await rm(restored, { recursive: true, force: true });
      const took = [];
      for (const command of commands) took.push(await measured(command, process.env));
      results[contender].push(took);
    }
  for (const [contender, runs] of Object.entries(results)) print(contender, runs);
  print(
    "  of it the job",
    results["job and load"].map(([took]) => [took]),
  );
  const over = results["job and load"].map((took, i) => {
    const [alone] = results["load alone"][i];
    const [unpack] = results["decompression"][i];
    return (wall(took) - unpack.wallSeconds) / alone.wallSeconds;
  });
  console.log(`  (job and load, less the decompression) / load alone   ${spread(over)}`);
  await inPlace(work, slot);
  await rm(work, { recursive: true, force: true });
}

/** The whole of it in an add-on, by an agent: fetched, exchanged, loaded and counted. */
async function inPlace(work, slot) {
  const { source } = restoreJob(work, "", slot, "");
  const args = [
    join(import.meta.dirname, "restore/in-place.mjs"),
    join(work, "home"),
    JSON.stringify(source),
  ];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  const lines = (await text(child.stdout)).trim().split("\n");
  for (const [i, words] of ["into an empty add-on", "in place of its data"].entries()) {
    const { wallSeconds, downtimeMs, safetyBytes } = JSON.parse(lines[i]);
    const backedUp = safetyBytes > 0 ? ", a verified backup of them included" : "";
    console.log(
      `  ${words.padEnd(23)}${wallSeconds.toFixed(2)} s, of it no writes ${(downtimeMs / 1000).toFixed(2)} s${backedUp}`,
    );
  }
}

/** A leader's data as a verified backup, and as the plain RDB that it wrote itself. */
async function backedUp(data, work) {
  await mkdir(join(work, "plain"), { recursive: true });
  const port = await freePort();
  const args = ["--port", port, "--bind", "127.0.0.1", "--save", "", "--repl-diskless-sync-delay", "0"];
  const dir = join(work, "leader");
  await mkdir(dir);
  const child = spawn("redis-server", [...args, "--dir", dir].map(String), { stdio: "ignore" });
  children.push(child);
  await answers(port);
  await fill(port, data);
  const cli = join(DIST, "cli/main.js");
  const command = `${process.execPath} ${cli} backup run --from redis://127.0.0.1:${port} --to file://${work}/store --name ${NAME}`;
  await measured(command, process.env);
  const { stdout } = spawn("redis-server", ["--version"], { stdio: ["ignore", "pipe", "inherit"] });
  const version = /v=(\S+)/.exec(await text(stdout))[1];
  child.kill("SIGKILL");
  await once(child, "exit");
  const catalog = join(work, "store", NAME);
  const files = await readdir(catalog);
  const archive = join(
    catalog,
    files.find((file) => file.endsWith(".tar.gz")),
  );
  await measured(`tar -xzf ${archive} -C ${work}/leader dump.rdb`, process.env);
  await copyFile(join(dir, "dump.rdb"), join(work, "plain/dump.rdb"));
  const slot = files.find((file) => /^\w+\.json$/.test(file)).slice(0, -".json".length);
  return { archive, slot, version };
}

function restoreJob(work, restored, slot, version) {
  return {
    kind: "restore",
    id: "bench",
    addon: { name: NAME },
    source: { kind: "backup", destination: `file://${work}/store`, catalogKey: NAME, slot },
    folder: restored,
    scratchFolder: join(work, "scratch"),
    proof: { servers: [{ path: "redis-server", version }] },
  };
}

function wall(took) {
  return took.reduce((sum, { wallSeconds }) => sum + wallSeconds, 0);
}

function print(contender, runs) {
  const cpu = (took) => took.reduce((sum, { cpuSeconds }) => sum + cpuSeconds, 0);
  const peak = (took) => Math.max(...took.map(({ peakBytes }) => peakBytes));
  console.log(
    `  ${contender.padEnd(18)}${median(runs.map(wall)).toFixed(2).padStart(7)} s` +
      `${median(runs.map(cpu)).toFixed(2).padStart(8)} s CPU` +
      `${(median(runs.map(peak)) / 2 ** 20).toFixed(0).padStart(6)} MiB`,
  );
}
