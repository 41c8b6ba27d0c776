import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../support/data-home";
import { freePort } from "../support/redis-server";
import { read } from "../support/stack-user";

/** The scripts of this checkout, as a person starts them, on a state and a data home that begin empty. */
const ROOT = join(import.meta.dirname, "../..");
const NAMES = ["redis-addon-quickstart-dev-cache", "redis-addon-quickstart-dev-cache-copy"];

interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  /** Both streams, as a person sees them. */
  readonly output: string;
}

interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
}

/** Where one person's runs happen; disposing it ends what they have left and removes it. */
interface Desk extends AsyncDisposable {
  readonly home: string;
  readonly state: string;
  start(script: string, ...args: string[]): Running;
  /** Runs it to its end, which must be a good one. */
  run(script: string, ...args: string[]): Promise<Ended>;
  serverPids(): Promise<number[]>;
}

async function makeDesk(): Promise<Desk> {
  const root = await mkdtemp(join(tmpdir(), "raqs-"));
  const [state, home] = [join(root, "state"), join(root, "home")];
  const env = { ...process.env, REDIS_ADDON_DEV_STATE: state, REDIS_ADDON_HOME: home };
  const unfinished = new Set<ChildProcess>();
  const start = (script: string, ...args: string[]) => {
    const running = startProgram(process.execPath, [join(ROOT, ".dev", script), ...args], env);
    unfinished.add(running.child);
    void running.ended.finally(() => unfinished.delete(running.child));
    return running;
  };
  const run = async (script: string, ...args: string[]) => {
    const ended = await start(script, ...args).ended;
    expect(ended.code, ended.output).toBe(0);
    return ended;
  };
  return {
    home,
    state,
    start,
    run,
    serverPids: () =>
      Promise.all(
        NAMES.map(async (name) => {
          const noted = await readFile(join(home, "addons", name, "process.json"), "utf8");
          const { pid } = (JSON.parse(noted) as { process: { pid: number } }).process;
          if (!Number.isInteger(pid)) throw new Error(`no server of ${name} is noted`);
          return pid;
        }),
      ),
    [Symbol.asyncDispose]: async () => {
      for (const child of unfinished) endGroup(child);
      await start("redis-addon.mjs", "agent", "stop").ended;
      await rm(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 });
    },
  };
}

/** In a process group of its own, which a failed test can end as a whole. */
function startProgram(command: string, args: readonly string[], env = process.env): Running {
  const child = spawn(command, args, { cwd: ROOT, env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  let stdout = "";
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => {
    stdout += chunk.toString();
    output += chunk.toString();
  });
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code, signal) => resolve({ code, signal, stdout, output }));
  });
  return { child, ended };
}

function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, "SIGKILL");
  } catch {
    // It has ended by itself.
  }
}

/** A dead process that nobody has waited for yet still has its pid, and the state Z. */
function isRunning(pid: number): boolean {
  const { stdout } = spawnSync("ps", ["-p", String(pid), "-o", "stat="], { encoding: "utf8" });
  return /^[^Z]/.test(stdout.trim());
}

/** What follows a label at the beginning of a line, to the next empty line. */
function section(output: string, label: string): string {
  const found = new RegExp(`^${label} +([^]*?)(?:\\n\\n|(?![^]))`, "m").exec(output)?.[1];
  if (found === undefined) throw new Error(`there is no "${label}" in:\n${output}`);
  return found;
}

let desk: Desk;
let first: Ended;
beforeAll(async () => {
  desk = await makeDesk();
  first = await desk.run("start.mjs");
});
afterAll(() => desk[Symbol.asyncDispose]());

test("npm start makes the add-ons, and shows that a person can use them", async () => {
  const { output } = first;
  expect(output).toMatch(/Resources:\n +\+ 5 created/);
  expect(output).not.toContain("Nothing has changed");
  const address = String.raw`redis://default:\*{4}@127\.0\.0\.1:\d+  Redis [\d.]+`;
  expect(section(output, "leader")).toMatch(new RegExp(`^${NAMES[0]} +${address}, healthy`));
  expect(section(output, "follower")).toMatch(
    new RegExp(`^${NAMES[1]} +${address}, synced, \\d+ bytes behind`),
  );
  expect(section(output, "Tried")).toMatch(
    /^SET (\S+) ".+" on the leader,\n +GET \1 on the follower returned it/,
  );
  expect(section(output, "Go on")).toContain("npm run redis-addon -- list");
  expect(output).toMatch(/^Remove +npm run destroy +\(backups stay\)$/m);
});

test("the command that it names reveals the password, which stands nowhere else", async () => {
  const reveal = /npm run redis-addon -- (info .* --reveal)$/m.exec(first.output)?.[1]?.split(" ") ?? [];
  const revealed = (await desk.run("redis-addon.mjs", ...reveal)).stdout;
  const url = /redis:\/\/default:\S+/.exec(revealed)?.[0] ?? "";
  expect(await read(url, "redis-addon:quickstart")).toMatch(/^written by npm start at /);

  const { stdout } = await desk.run("pulumi.mjs", "stack", "output", "--json", "--show-secrets");
  const shown = JSON.parse(stdout) as Record<"redisUrl" | "followerUrl", string>;
  expect(shown.redisUrl).toBe(url);
  const second = await desk.run("redis-addon.mjs", "info", NAMES[0] ?? "");
  for (const secret of [shown.redisUrl, shown.followerUrl].map((value) => new URL(value).password)) {
    expect(secret.length).toBeGreaterThan(20);
    for (const { output } of [first, second]) expect(output.includes(secret)).toBe(false);
  }
});

test("npm run pulumi prints nothing of its own on standard output", async () => {
  const { stdout } = await desk.run("pulumi.mjs", "stack", "output", "--json");
  expect(JSON.parse(stdout)).toEqual({
    leader: NAMES[0],
    follower: NAMES[1],
    redisUrl: "[secret]",
    followerUrl: "[secret]",
  });
});

test("the commands that it prints open the backup with a stock redis-server", async () => {
  const file = section(first.output, "Backup").split("\n")[0] ?? "";
  expect(file.startsWith(join(desk.home, "backups"))).toBe(true);
  expect(existsSync(file)).toBe(true);
  const [unpack = "", serve = ""] = section(first.output, "Open it").split("\n");
  const folder = /-C (\S+)$/.exec(unpack)?.[1];
  if (folder === undefined) throw new Error(`no folder in: ${unpack}`);
  expect(existsSync(folder)).toBe(false);
  const port = await freePort();
  let server: Running | undefined;
  try {
    execFileSync("sh", ["-c", unpack]);
    server = startProgram("sh", ["-c", serve.replace("7777", String(port))]);
    const value = await read(`redis://default:none@127.0.0.1:${port}`, "redis-addon:quickstart");
    expect(section(first.output, "Tried")).toContain(`"${String(value)}"`);
  } finally {
    if (server !== undefined) {
      endGroup(server.child);
      await server.ended;
    }
    await rm(folder, { recursive: true, force: true });
  }
});

test("a second npm start changes nothing, says so, and shows the same", async () => {
  const before = await desk.serverPids();
  const { output } = await desk.run("start.mjs");
  expect(output).toMatch(/Resources:\n +5 unchanged/);
  expect(output).toContain("Nothing has changed: everything is as the program says.");
  expect(await desk.serverPids()).toEqual(before);
  expect(section(output, "Backup")).toBe(section(first.output, "Backup"));
  for (const label of ["leader", "follower"])
    expect(section(output, label).split(", ")[0]).toBe(section(first.output, label).split(", ")[0]);
});

test("npm run destroy leaves no server and no add-on, and says where the backups stay", async () => {
  const pids = await desk.serverPids();
  const { output } = await desk.run("destroy.mjs");
  expect(pids.filter(isRunning)).toEqual([]);
  expect(await readdir(join(desk.home, "addons"))).toEqual([]);
  expect(output).toContain(`Backups stay in ${join(desk.home, "backups")};`);
  const final = [...output.matchAll(/its final backup: file:\/\/(\S+)/g)].map(([, file]) => file ?? "");
  expect(new Set(final).size).toBe(2);
  expect(final.filter((file) => !existsSync(file))).toEqual([]);
});

test("npm start goes on where a killed one stopped: its lock and its pending creates are cleared", async () => {
  await using other = await makeDesk();
  const { cli, plugins } = await killInCreate(other);
  const { output } = await other.run("start.mjs");
  expect(output).toContain(`npm start: removing the lock of a run that was killed (process ${cli})`);
  expect(output).toMatch(/^npm start: clearing what a killed run has left open: creating cache/m);
  expect(output).toMatch(/^follower .*, synced, /m);
  expect(plugins.filter(isRunning)).toEqual([]);
  expect((await readdir(join(other.home, "addons"))).sort()).toEqual(NAMES);
  expect((await other.serverPids()).filter(isRunning)).toHaveLength(2);
  await other.run("pulumi.mjs", "preview", "--expect-no-changes", "--non-interactive");
});

test("npm run destroy removes what a killed run had made before it could write it down", async () => {
  await using other = await makeDesk();
  await killInCreate(other);
  const { output } = await other.run("destroy.mjs");
  expect(output).toMatch(/npm run destroy: \S+ is deleted; its final backup: file:/);
  expect(await readdir(join(other.home, "addons"))).toEqual([]);
  expect(JSON.parse((await other.run("redis-addon.mjs", "list", "--json")).stdout)).toEqual([]);
});

/** Starts npm start, and kills its Pulumi CLI as soon as an add-on appears. */
async function killInCreate(desk: Desk): Promise<{ cli: number; plugins: number[] }> {
  const { ended } = desk.start("start.mjs");
  const addons = join(desk.home, "addons");
  await eventually(
    "a create is under way",
    async () => existsSync(addons) && (await readdir(addons)).length > 0,
    60_000,
  );
  const cli = await lockHolder(desk);
  const plugins = pluginsOf(cli, desk);
  expect(plugins.length).toBeGreaterThan(1);
  process.kill(cli, "SIGKILL");
  // A script ends as the program does that it stands for.
  expect((await ended).signal).toBe("SIGKILL");
  return { cli, plugins };
}

/** The Pulumi CLI that is at work: a file backend's lock names it. */
async function lockHolder({ state }: Desk): Promise<number> {
  const folder = join(state, "state", ".pulumi", "locks");
  const [lock] = (await readdir(folder, { recursive: true })).filter((name) => name.endsWith(".json"));
  if (lock === undefined) throw new Error("no run holds a lock");
  return (JSON.parse(await readFile(join(folder, lock), "utf8")) as { pid: number }).pid;
}

/** The plugins of a running CLI; agent and servers, which stem from one of them, are meant to outlive it. */
function pluginsOf(cli: number, { home }: Desk): number[] {
  const lines = execFileSync("ps", ["-A", "-o", "pid=,ppid=,args="], { encoding: "utf8" }).split("\n");
  const processes = lines.map((line) => /^ *(\d+) +(\d+) (.*)$/.exec(line) ?? []);
  const below = (ancestor: string): string[] =>
    processes.flatMap(([, pid = "", parent, args = ""]) =>
      parent === ancestor && !args.includes(home) ? [pid, ...below(pid)] : [],
    );
  return below(String(cli)).map(Number);
}
