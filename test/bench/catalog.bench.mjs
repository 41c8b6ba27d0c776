// Pruning a large catalog, all but a few of 100,000 backups in a folder and of 10,000 in an S3 store, against a plain
// script that lists the same and deletes the same with the same calls and the same SDK. In turn, in one run.
//
// BENCH_PLACES=file,s3 chooses, BENCH_ROUNDS repeats (default 3), BENCH_SHARE=0.1 takes so much of the backups.
import { readdir, rm, mkdtemp } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { FILES_EACH, layOut } from "./catalog/fill.mjs";
import { measured } from "./support/measure.mjs";
import { endAll, startS3 } from "./support/s3.mjs";
import { median, spread } from "./support/statistics.mjs";

const ROUNDS = Number(process.env["BENCH_ROUNDS"] ?? 3);
const SHARE = Number(process.env["BENCH_SHARE"] ?? 1);
const chosen = (process.env["BENCH_PLACES"] ?? "file,s3").split(",");
const COUNTS = { file: 100_000, s3: 10_000 };
const KEEP = 3;
const CATALOG = "bench-0123456789abcdef";

const folder = await mkdtemp(join(tmpdir(), "redis-addon-bench-"));
try {
  console.log(`${availableParallelism()} cores; medians of ${ROUNDS} rounds in turn`);
  for (const place of chosen) await compare(place);
} finally {
  await endAll();
  await rm(folder, { recursive: true, force: true });
}

async function compare(place) {
  const count = Math.round(COUNTS[place] * SHARE);
  console.log(`\n${place}: ${count} backups, of which ${KEEP} stay`);
  const root = join(folder, place);
  const { commands, env, objects } = place === "file" ? inFolder(root) : await inBucket(root);
  const results = { ours: [], "by hand": [] };
  for (let round = 0; round < ROUNDS; round++)
    for (const [contender, command] of Object.entries(commands)) {
      layOut(objects, CATALOG, count);
      results[contender].push(await measured(command, { ...process.env, ...env }));
      const left = await readdir(join(objects, CATALOG));
      if (left.length !== KEEP * FILES_EACH) throw new Error(`${contender} left ${left.length} files`);
      await rm(join(objects, CATALOG), { recursive: true });
    }
  for (const [contender, runs] of Object.entries(results)) print(contender, runs);
  const ratios = results.ours.map(({ wallSeconds }, i) => wallSeconds / results["by hand"][i].wallSeconds);
  console.log(`  ours / by hand   wall ${spread(ratios)}`);
}

function inFolder(root) {
  const commands = {
    ours: ours(`file://${root}`),
    "by hand": script("by-hand", "file", join(root, CATALOG), KEEP),
  };
  return { commands, env: {}, objects: root };
}

async function inBucket(root) {
  const { endpoint, bucket, objects, env } = await startS3(root);
  const where = { endpoint, bucket, prefix: `${CATALOG}/` };
  const commands = {
    ours: ours(`s3://${bucket}?endpoint=${encodeURIComponent(endpoint)}`),
    "by hand": script("by-hand", "s3", JSON.stringify(where), KEEP),
  };
  return { commands, env, objects };
}

function ours(url) {
  return script("ours", url, CATALOG, KEEP);
}

function script(name, ...args) {
  const file = join(import.meta.dirname, "catalog", `${name}.mjs`);
  return [process.execPath, file, ...args].map((word) => `'${word}'`).join(" ");
}

function print(contender, runs) {
  const mid = (value) => median(runs.map(value));
  console.log(
    `  ${contender.padEnd(10)}` +
      `${mid((run) => run.wallSeconds)
        .toFixed(2)
        .padStart(8)} s` +
      `${mid((run) => run.cpuSeconds)
        .toFixed(2)
        .padStart(8)} s CPU` +
      `${(mid((run) => run.peakBytes) / 2 ** 20).toFixed(0).padStart(6)} MiB`,
  );
}
