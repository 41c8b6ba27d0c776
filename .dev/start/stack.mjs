// The one stack that `npm start` and `npm run destroy` work on.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { stateFolder } from "../environment.mjs";
import { Stop } from "../setup/stop.mjs";
import { run } from "../setup/run.mjs";
import { endOrphans } from "./orphans.mjs";

export const project = "redis-addon-quickstart";
export const stack = "dev";

const lockFolder = () => join(stateFolder(), "state", ".pulumi", "locks", "organization", project, stack);

/**
 * Removes what a killed run has left: its lock, and operations of which the state doesn't know how they ended.
 * @param {{ pulumi: string, options: { env: NodeJS.ProcessEnv, cwd: string }, log: (line: string) => void }} tools
 * @returns {Promise<string[]>} the names of add-ons that the killed run may have made and the state has not
 */
export async function clearLeftovers({ pulumi, options, log }) {
  const locks = readLocks();
  if (locks.length > 0) {
    const held = locks.find(isHeld);
    if (held) throw inProgress(held);
    log(`removing the lock of a run that was killed (process ${locks[0].pid})`);
    await endOrphans({ pulumi, log });
    await run(pulumi, ["cancel", "--yes", "--stack", stack], options);
  }

  const exported = JSON.parse(await run(pulumi, ["stack", "export", "--stack", stack], options));
  const pending = exported.deployment?.pending_operations ?? [];
  if (pending.length === 0) return [];
  // `up` then makes the resource again, which adopts what the killed run has made of it.
  log(`clearing what a killed run has left open: ${pending.map(describe).join(", ")}`);
  const clear = ["refresh", "--yes", "--non-interactive", "--skip-preview", "--clear-pending-creates"];
  await run(pulumi, [...clear, "--stack", stack], options);
  return pending
    .filter(({ type, resource }) => type === "creating" && resource.type.endsWith(":RedisAddon"))
    .map(({ resource }) => resource.inputs.name);
}

/** A file backend's lock names its process; only that tells a run in progress from one that was killed. */
function readLocks() {
  if (!existsSync(lockFolder())) return [];
  return readdirSync(lockFolder())
    .filter((name) => name.endsWith(".json"))
    .map((name) => {
      const file = join(lockFolder(), name);
      return { file, ...JSON.parse(readFileSync(file, "utf8")) };
    });
}

/** A pid may have been given to another program since. */
function isHeld({ pid, hostname: host }) {
  if (host !== hostname()) return true;
  const { stdout } = spawnSync("ps", ["-p", String(pid), "-o", "comm="], { encoding: "utf8" });
  return /pulumi/.test(stdout ?? "");
}

function inProgress({ file, pid, hostname: host, timestamp }) {
  return new Stop(`another run is working on the stack "${stack}"`, {
    why: [`process ${pid} on ${host} holds its lock since ${timestamp} (${file})`],
    next: ["wait until it ends, or stop it with Ctrl-C where it runs", "then run the same command again"],
  });
}

const describe = ({ type, resource }) => `${type} ${resource.urn.split("::").at(-1)}`;

/** What the last run changed, by kind; without "same". */
export async function lastChanges({ pulumi, options }) {
  const args = ["stack", "history", "--stack", stack, "--json", "--page-size", "1"];
  const [last] = JSON.parse(await run(pulumi, args, options));
  return Object.entries(last?.resourceChanges ?? {}).filter(([kind, count]) => kind !== "same" && count > 0);
}

/** @returns {Promise<Record<string, unknown>>} with the secret ones in plain text: show none of them as it is */
export async function outputs({ pulumi, options }) {
  return JSON.parse(
    await run(pulumi, ["stack", "output", "--stack", stack, "--json", "--show-secrets"], options),
  );
}

export async function exists({ pulumi, options }) {
  const stacks = JSON.parse(await run(pulumi, ["stack", "ls", "--json"], options));
  return stacks.some(({ name }) => name === stack);
}
