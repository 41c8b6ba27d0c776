// What `npm start` shows at the end: that everything it promises is really there.
import { spawnSync } from "node:child_process";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { checkout } from "../setup/checkout.mjs";
import { ProgramFailed, run, which } from "../setup/run.mjs";

/**
 * @param {{ node: string, redisServer: string, env: NodeJS.ProcessEnv, outputs: Record<string, string> }} found
 *   `outputs`: the stack's
 * @returns {Promise<string>}
 */
export async function report({ node, redisServer, env, outputs }) {
  const { leader, follower, redisUrl, followerUrl } = outputs;
  const redisAddon = (...args) => redisAddonJson(node, env, args);
  const addons = await redisAddon("list");
  const statusOf = (name) => addons.find((addon) => addon.name === name);
  const trip = roundTrip(node, env, { redisUrl, followerUrl });
  const backup = await newestBackup(redisAddon, leader);
  const width = Math.max(leader.length, follower.length);
  return [
    `leader    ${leader.padEnd(width)}  ${masked(redisUrl)}  ${describe(statusOf(leader))}`,
    `follower  ${follower.padEnd(width)}  ${masked(followerUrl)}  ${describe(statusOf(follower))}`,
    `          with password: npm run redis-addon -- info ${leader} --reveal`,
    "",
    trip,
    "",
    ...describeBackup(backup, redisServer),
    "",
    "Go on     edit examples/quickstart/index.ts and run npm start again",
    "          npm run redis-addon -- list                what runs on this machine",
    "          npm run redis-addon -- console             the same in a browser, and more",
    "          npm run pulumi -- <command> [-C <folder>]  any Pulumi command, on this program or another",
    "Remove    npm run destroy                            (backups stay)",
  ].join("\n");
}

const masked = (url) => url.replace(/(:\/\/[^:@/]*):[^@]*@/, "$1:****@");

function describe(status) {
  if (!status) return "not known to the agent";
  const { server, replication, health } = status;
  const version = server.state === "running" ? `Redis ${server.version}` : server.state;
  if (replication.role === "leader") return `${version}, ${health}`;
  const { sync } = replication;
  if (sync.state !== "synced") return `${version}, ${sync.state}${sync.why ? `: ${sync.why}` : ""}`;
  return `${version}, synced${sync.lagBytes === undefined ? "" : `, ${sync.lagBytes} bytes behind`}`;
}

function roundTrip(node, env, urls) {
  const program = join(checkout, ".dev", "start", "round-trip.mjs");
  const { status, stdout, stderr } = spawnSync(node, [program], {
    env,
    input: JSON.stringify(urls),
    encoding: "utf8",
  });
  if (status !== 0)
    throw new ProgramFailed(`a key written to the leader could not be read from the follower: ${stderr}`);
  const { key, value, tookMs } = JSON.parse(stdout);
  return [
    `Tried     SET ${key} "${value}" on the leader,`,
    `          GET ${key} on the follower returned it ${tookMs} ms later`,
  ].join("\n");
}

/** The schedule makes the next one; the first is made here, so that there is one to open. */
async function newestBackup(redisAddon, leader) {
  const backups = await redisAddon("backup", "list", leader);
  if (backups.length === 0) {
    await redisAddon("backup", "run", leader);
    backups.push(...(await redisAddon("backup", "list", leader)));
  }
  return backups.sort((a, b) => Date.parse(b.takenAt) - Date.parse(a.takenAt))[0];
}

function describeBackup(backup, redisServer) {
  if (!backup) return ["Backup    none was made"];
  const file = backup.archive.startsWith("file:") ? fileURLToPath(backup.archive) : backup.archive;
  // Its short name would not be found in a person's shell if set-up has installed it.
  const server = which("redis-server") === redisServer ? "redis-server" : redisServer;
  const folder = `/tmp/${basename(file).replace(/\.(tar\.gz|tgz)$/, "")}`;
  const proved = backup.verification === "verified" ? ", verified: a scratch server loaded it both ways" : "";
  return [
    `Backup    ${file}`,
    `          ${backup.keys} ${backup.keys === 1 ? "key" : "keys"}, ${backup.sizeBytes} bytes, taken ${backup.takenAt}${proved}`,
    `Open it   mkdir -p ${folder} && tar -xzf ${quoted(file)} -C ${folder}`,
    `          (cd ${folder} && ${quoted(server)} --port 7777)`,
    "          any redis-server of this version or newer opens it; this one runs until Ctrl-C, without a password",
  ];
}

/** One word of a shell's command line: a home folder may have a space in its name. */
const quoted = (word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`);

async function redisAddonJson(node, env, args) {
  const program = join(checkout, "dist", "provider", "cli", "main.js");
  return JSON.parse(await run(node, [program, ...args, "--json"], { env }));
}
