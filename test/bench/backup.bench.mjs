// A backup of a redis-server that isn't ours, against what a person would do by hand: `redis-cli --rdb`, then tar, then
// gzip -1 or pigz -1, into a file and into an S3 store (there with curl). The same data, in turn, in one run; a client
// measures meanwhile how fast the leader answers.
//
// BENCH_DATA=small,json,random,big chooses among the data, BENCH_ROUNDS repeats (default 3).
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { datasets, fill } from "./support/fill.mjs";
import { measured } from "./support/measure.mjs";
import { answers, freePort } from "./support/ports.mjs";
import { endAll, startS3 } from "./support/s3.mjs";
import { median, spread } from "./support/statistics.mjs";

const ROUNDS = Number(process.env["BENCH_ROUNDS"] ?? 3);
const chosen = (process.env["BENCH_DATA"] ?? Object.keys(datasets).join(",")).split(",");
const CLI = join(import.meta.dirname, "../../dist/provider/cli/main.js");

const folder = await mkdtemp(join(tmpdir(), "redis-addon-bench-"));
const children = [];
try {
  const s3 = await startS3(join(folder, "s3"));
  console.log(`${availableParallelism()} cores; medians of ${ROUNDS} rounds in turn`);
  for (const name of chosen) await compare(name, s3);
} finally {
  for (const child of children) child.kill("SIGKILL");
  await endAll();
  await rm(folder, { recursive: true, force: true });
}

async function compare(name, s3) {
  const data = datasets[name];
  const leader = await startLeader();
  await fill(leader.port, data);
  console.log(`\n${data.words}`);
  for (const place of ["file", "s3"]) {
    const contenders = {
      ours: ours(leader.port, place, s3, "--no-verify"),
      pigz: byHand(leader.port, place, s3, "pigz -1"),
      gzip: byHand(leader.port, place, s3, "gzip -1"),
      "ours, verified": ours(leader.port, place, s3, ""),
      // What the leader takes by itself: no way of backing it up is faster.
      "snapshot alone": `redis-cli -p ${leader.port} --rdb ${join(folder, "out", "dump.rdb")}`,
    };
    const results = Object.fromEntries(Object.keys(contenders).map((contender) => [contender, []]));
    for (let round = 0; round < ROUNDS; round++)
      for (const [contender, command] of Object.entries(contenders))
        results[contender].push(await runOnce(leader.port, command, s3));
    for (const [contender, runs] of Object.entries(results)) print(place, contender, runs);
    const ratio = results.ours.map(({ wallSeconds }, i) => wallSeconds / results.pigz[i].wallSeconds);
    const stall = results.ours.map(({ p99 }, i) => p99 / results.pigz[i].p99);
    console.log(`  ${place.padEnd(5)} ours / pigz   wall ${spread(ratio)}   leader's p99 ${spread(stall)}`);
  }
  leader.child.kill("SIGKILL");
  await once(leader.child, "exit");
}

function ours(port, place, s3, flags) {
  const to =
    place === "file"
      ? `file://${join(folder, "out", "ours")}`
      : `s3://${s3.bucket}/ours?endpoint=${encodeURIComponent(s3.endpoint)}`;
  return `${process.execPath} ${CLI} backup run --from redis://127.0.0.1:${port} --to '${to}' ${flags}`;
}

function byHand(port, place, s3, compress) {
  const work = join(folder, "out", "by-hand");
  const archive = join(work, "backup.tar.gz");
  const steps = [
    `mkdir -p ${work}`,
    `redis-cli -p ${port} --rdb ${work}/dump.rdb`,
    `tar -C ${work} -cf - dump.rdb | ${compress} > ${archive}`,
    `sync ${archive}`,
  ];
  if (place === "s3")
    steps.push(
      `curl --silent --show-error --fail --aws-sigv4 aws:amz:us-east-1:s3 -H x-amz-content-sha256:UNSIGNED-PAYLOAD ` +
        `--user "$AWS_ACCESS_KEY_ID:$AWS_SECRET_ACCESS_KEY" --upload-file ${archive} ${s3.endpoint}/${s3.bucket}/by-hand.tar.gz`,
    );
  return steps.join(" && ");
}

async function runOnce(port, command, { env }) {
  await rm(join(folder, "out"), { recursive: true, force: true });
  await mkdir(join(folder, "out"), { recursive: true });
  const user = spawn(process.execPath, [join(import.meta.dirname, "backup/latency.mjs"), String(port)], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  await once(user.stdout, "data");
  try {
    const took = await measured(command, { ...process.env, ...env });
    user.kill("SIGTERM");
    const [told] = await once(user.stdout, "data");
    return { ...took, ...JSON.parse(String(told)) };
  } finally {
    user.kill("SIGKILL");
  }
}

function print(place, contender, runs) {
  const mid = (value) => median(runs.map(value));
  console.log(
    `  ${place.padEnd(5)}${contender.padEnd(15)}` +
      `${mid((run) => run.wallSeconds)
        .toFixed(2)
        .padStart(7)} s` +
      `${mid((run) => run.cpuSeconds)
        .toFixed(2)
        .padStart(8)} s CPU` +
      `${(mid((run) => run.peakBytes) / 2 ** 20).toFixed(0).padStart(6)} MiB` +
      `   leader p50 ${mid((run) => run.p50).toFixed(2)} ms, p99 ${mid((run) => run.p99).toFixed(1)} ms`,
  );
}

/** As it comes, but for the pause of 5 s in which a leader waits for more replicas: both would only wait. */
async function startLeader() {
  const port = await freePort();
  const args = ["--port", port, "--bind", "127.0.0.1", "--save", "", "--repl-diskless-sync-delay", "0"];
  const child = spawn("redis-server", args.map(String), { cwd: folder, stdio: "ignore" });
  children.push(child);
  await answers(port);
  return { port, child };
}
