// `pulumi up` of ten add-ons, against the floor: the same engine run with ten dynamic resources that do nothing, plus
// the start of ten bare redis-servers. Both in turn, on fresh state each time, so that a noisy machine is fair to both.
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { createConnection } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { median } from "./support/statistics.mjs";

const run = promisify(execFile);
const ADDONS = 10;
const ROUNDS = Number(process.env["BENCH_ROUNDS"] ?? 5);
const checkout = join(import.meta.dirname, "..", "..");

const addons = `
const { RedisAddon } = require("pulumi-redis-addon");
for (let i = 0; i < ${ADDONS}; i++) new RedisAddon("bench-" + i, { plan: "s_mono" });
`;
const floor = `
const pulumi = require("@pulumi/pulumi");
const __provider = "exports.handler = () => ({ create: async () => ({ id: 'x', outs: {} }), delete: async () => {} })";
class Nothing extends pulumi.CustomResource {
  constructor(name) { super("pulumi-nodejs:dynamic:Resource", name, { __provider }); }
}
for (let i = 0; i < ${ADDONS}; i++) new Nothing("bench-" + i);
`;

const folder = await mkdtemp(join(tmpdir(), "rab-"));
try {
  const ours = await project("addons", addons);
  const theirs = await project("floor", floor);
  const times = { addons: [], floor: [] };
  // One round of each to warm the file cache and, for ours, the data home's copy of the program; not counted.
  for (let round = 0; round <= ROUNDS; round++) {
    const counted = round > 0;
    const a = await timed(() => up(ours));
    await destroy(ours);
    const b = await timed(async () => {
      await up(theirs);
      await bareServers();
    });
    await destroy(theirs);
    if (!counted) continue;
    times.addons.push(a);
    times.floor.push(b);
    console.log(
      `round ${round}: ${ADDONS} add-ons ${a.toFixed(2)} s, floor ${b.toFixed(2)} s, ratio ${(a / b).toFixed(2)}`,
    );
  }
  const ratios = times.addons.map((time, i) => time / times.floor[i]);
  console.log(`up of ${ADDONS} add-ons: median ${median(times.addons).toFixed(2)} s`);
  console.log(`floor:             median ${median(times.floor).toFixed(2)} s`);
  console.log(
    `ratio:             median ${median(ratios).toFixed(2)} (${Math.min(...ratios).toFixed(2)} to ${Math.max(...ratios).toFixed(2)})`,
  );
} finally {
  const cli = join(checkout, "dist", "provider", "cli", "main.js");
  await run(process.execPath, [cli, "--home", join(folder, "h"), "agent", "stop"]);
  await rm(folder, { recursive: true, force: true });
}

async function project(name, program) {
  const cwd = join(folder, name);
  await mkdir(join(cwd, "node_modules", "@pulumi"), { recursive: true });
  await mkdir(join(cwd, "state"));
  await symlink(checkout, join(cwd, "node_modules", "pulumi-redis-addon"));
  await symlink(
    join(checkout, "node_modules", "@pulumi", "pulumi"),
    join(cwd, "node_modules", "@pulumi", "pulumi"),
  );
  await writeFile(join(cwd, "Pulumi.yaml"), `name: bench-${name}\nruntime: nodejs\n`);
  await writeFile(join(cwd, "package.json"), `{ "main": "index.js" }`);
  await writeFile(join(cwd, "index.js"), program);
  const env = {
    ...process.env,
    PULUMI_HOME: join(folder, "pulumi-home"),
    PULUMI_BACKEND_URL: `file://${join(cwd, "state")}`,
    PULUMI_CONFIG_PASSPHRASE: "bench",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    REDIS_ADDON_HOME: join(folder, "h"),
  };
  delete env.PULUMI_CONFIG_PASSPHRASE_FILE;
  await run("pulumi", ["stack", "init", "bench"], { cwd, env });
  return { cwd, env };
}

function up({ cwd, env }) {
  return run("pulumi", ["up", "--yes", "--skip-preview", "--non-interactive", "--stack", "bench"], {
    cwd,
    env,
  });
}

function destroy({ cwd, env }) {
  return run("pulumi", ["destroy", "--yes", "--skip-preview", "--non-interactive", "--stack", "bench"], {
    cwd,
    env,
  });
}

/** What a person would start by hand: with an AOF, all at once, until each answers. */
async function bareServers() {
  const servers = await Promise.all(
    Array.from({ length: ADDONS }, async (_, i) => {
      const port = 31_500 + i;
      const dir = await mkdtemp(join(folder, "bare-"));
      const server = spawn(
        "redis-server",
        ["--port", String(port), "--bind", "127.0.0.1", "--appendonly", "yes", "--dir", dir],
        {
          stdio: "ignore",
        },
      );
      await answers(port);
      return server;
    }),
  );
  await Promise.all(
    servers.map(async (server) => {
      server.kill("SIGKILL");
      await once(server, "exit");
    }),
  );
}

async function answers(port) {
  const end = Date.now() + 10_000;
  while (Date.now() < end) {
    const socket = createConnection(port, "127.0.0.1");
    try {
      await once(socket, "connect");
      socket.write("PING\r\n");
      const [reply] = await once(socket, "data");
      if (String(reply).startsWith("+PONG")) return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 5));
    } finally {
      socket.destroy();
    }
  }
  throw new Error(`the bare server on port ${port} did not answer`);
}

async function timed(work) {
  const start = performance.now();
  await work();
  return (performance.now() - start) / 1000;
}
