import { once } from "node:events";
import { readdir, readFile, readlink } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { eventually } from "../support/data-home";
import { killEngine } from "../support/kill-engine";
import { makePulumiProject, type PulumiProject } from "../support/pulumi-project";
import { connectUrl, read, secretOutput, succeed, up, write } from "../support/stack-user";

/** Everything is killed once, at a bad moment; the next plain run must put all of it right. */
let project: PulumiProject;

const program = `
const { RedisAddon, RedisFollower } = require("pulumi-redis-addon");
const lead = new RedisAddon("lead", { plan: "s_mono" });
const copy = new RedisAddon("copy", { plan: "s_mono" });
new RedisFollower("following", { addon: copy, leader: lead });
exports.url = lead.redisUrl;
exports.copyUrl = copy.redisUrl;
`;
const names = ["shop-dev-copy", "shop-dev-lead"];

beforeAll(async () => {
  project = await makePulumiProject();
  await project.stack();
  await project.program(program);
});
afterAll(() => project[Symbol.asyncDispose]());

beforeEach(async () => {
  await succeed(project, "destroy", "--yes", "--skip-preview");
  expect(await ownProcesses("redis-server")).toEqual([]);
});

/** The processes of this user whose command line or folder names the test's data home. */
async function ownProcesses(what: string): Promise<number[]> {
  const pids: number[] = [];
  for (const pid of (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry))) {
    const command = (await readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "")).replaceAll("\0", " ");
    const folder = await readlink(`/proc/${pid}/cwd`).catch(() => "");
    const ours = [project.home.path, join(project.folder, "..")].some(
      (path) => command.includes(path) || folder.startsWith(path),
    );
    if (ours && command.includes(what)) pids.push(Number(pid));
  }
  return pids;
}

async function expectConverged(): Promise<void> {
  expect(await project.home.platform.names()).toEqual(names);
  const servers = await ownProcesses("redis-server");
  expect(servers).toHaveLength(2);
  const noted = await Promise.all(names.map((name) => project.home.serverPid(name)));
  expect(new Set(servers)).toEqual(new Set(noted));
  const [url, copyUrl] = [await secretOutput(project, "url"), await secretOutput(project, "copyUrl")];
  await write(url, "after", "the crash");
  await eventually("the follower has it too", async () => (await read(copyUrl, "after")) === "the crash");
  expect((await up(project)).output).toMatch(/4 unchanged/);
}

/** Runs `up` until a server's record appears, and gives the test that moment. */
async function inTheMiddleOfCreate(
  strike: (run: ReturnType<PulumiProject["start"]>) => Promise<void>,
): Promise<unknown> {
  const run = project.start("up", "--yes", "--skip-preview", "--stack", "dev");
  const ended = once(run, "exit");
  await eventually(
    "a create is under way",
    async () => (await project.home.platform.names()).length > 0,
    60_000,
  );
  await strike(run);
  const [exitCode] = (await ended) as [number | null];
  return exitCode;
}

test("the Pulumi CLI, in the middle of create: its provider leaves by itself, the next run adopts what it made", async () => {
  await inTheMiddleOfCreate((run) => killEngine(project, run));
  await eventually(
    "no provider of the killed run is left",
    async () => (await ownProcesses("dynamic-provider")).length === 0,
    30_000,
  );
  await succeed(project, "cancel", "--yes");
  await up(project);
  await succeed(project, "refresh", "--yes", "--skip-preview", "--clear-pending-creates");
  await expectConverged();
});

test("the provider, in the middle of create", async () => {
  await inTheMiddleOfCreate(async () => {
    for (const pid of await ownProcesses("dynamic-provider")) process.kill(pid, "SIGKILL");
  });
  await up(project);
  await succeed(project, "refresh", "--yes", "--skip-preview", "--clear-pending-creates");
  await expectConverged();
});

test("the agent, in the middle of create: the very run goes on with another one", async () => {
  const exitCode = await inTheMiddleOfCreate(async () => {
    for (const pid of await ownProcesses("agent/main.js")) process.kill(pid, "SIGKILL");
  });
  expect(exitCode).toBe(0);
  // On a busy machine the run may have needed nobody any more.
  await up(project);
  await expectConverged();
});

test("a server: it is back with everything that it had acknowledged", async () => {
  await up(project);
  const url = await secretOutput(project, "url");
  await countTo(url, 300);
  process.kill(await project.home.serverPid("shop-dev-lead"), "SIGKILL");
  await up(project);
  expect(await read(url, "counter")).toBe("300");
  await expectConverged();
});

test("agent and servers together: a plain run notices, and brings all of it back", async () => {
  await up(project);
  const url = await secretOutput(project, "url");
  await countTo(url, 300);
  const pids = await Promise.all(names.map((name) => project.home.serverPid(name)));
  for (const pid of [await project.home.agentPid(), ...pids]) process.kill(pid, "SIGKILL");
  const preview = await succeed(project, "preview");
  expect(preview.output).toContain("the server is not running");
  await up(project);
  expect(await read(url, "counter")).toBe("300");
  await expectConverged();
});

test("the agent alone: a plain run notices that the servers are unattended", async () => {
  await up(project);
  const pids = await Promise.all(names.map((name) => project.home.serverPid(name)));
  process.kill(await project.home.agentPid(), "SIGKILL");
  await up(project);
  await project.home.agentPid();
  expect(await Promise.all(names.map((name) => project.home.serverPid(name)))).toEqual(pids);
  await expectConverged();
});

async function countTo(url: string, count: number): Promise<void> {
  await using client = await connectUrl(url);
  for (let i = 0; i < count; i++) await client.command("INCR", "counter");
}
