import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../.dev/setup/run.mjs";
import { makePulumiProject, type PulumiProject } from "../support/pulumi-project";
import { connectUrl, read, secretOutput, succeed, up, write } from "../support/stack-user";

/** One follower of add-ons of its own program, from following to leading and back: each test goes on from the last. */
let project: PulumiProject;
const COPY = "shop-dev-copy";
const KEYS = 500;

beforeAll(async () => {
  project = await makePulumiProject();
  await project.pulumi("stack", "init", "dev");
});
afterAll(() => project[Symbol.asyncDispose]());

/** `following`: the RedisFollower's inputs beside its add-on; absent: there is none. */
const program = (following?: string) => `
  const { RedisAddon, RedisFollower } = require("pulumi-redis-addon");
  const [lead, other, copy] = ["lead", "other", "copy"].map((name) => new RedisAddon(name, { plan: "s_mono" }));
  for (const [name, addon] of Object.entries({ lead, other, copy })) exports[name] = addon.redisUrl;
  ${
    following === undefined
      ? ""
      : `const following = new RedisFollower("following", { addon: copy, ${following} });
         exports.role = following.role;
         exports.replicationId = following.replicationId;
         exports.address = following.leaderPort;`
  }`;

const declare = (following?: string) => project.program(program(following));
const url = (name: "lead" | "other" | "copy") => secretOutput(project, name);

async function refused(...args: string[]): Promise<string> {
  const { code, output } = await project.pulumi(...args, "--stack", "dev");
  expect(code, output).not.toBe(0);
  return output;
}

async function fill(name: "lead" | "other"): Promise<void> {
  await using client = await connectUrl(await url(name));
  for (let i = 0; i < KEYS; i++) await client.command("SET", `${name}:${i}`, "x");
}

async function ask(name: "lead" | "other" | "copy", ...command: [string, ...string[]]): Promise<unknown> {
  await using client = await connectUrl(await url(name));
  return await client.command(...command);
}

async function replication(name: "lead" | "other" | "copy", field: string): Promise<string | undefined> {
  const info = String(await ask(name, "INFO", "replication"));
  return new RegExp(`^${field}:(.*)\r$`, "m").exec(info)?.[1];
}

/** Up to where an update says that it promoted; NaN where it doesn't. */
const offsetIn = (output: string) => Number(/up to offset (\d+)/.exec(output)?.[1]);

/** The command line of the package that the program uses. */
function redisAddon(...args: string[]): Promise<string> {
  const main = join(
    project.folder,
    "node_modules",
    "pulumi-redis-addon",
    "dist",
    "provider",
    "cli",
    "main.js",
  );
  return run(process.execPath, [main, ...args], {
    cwd: project.folder,
    env: { ...process.env, ...project.env },
  });
}

/** The names of inputs and outputs that a preview's details show as changed. */
function changedIn(preview: string): string[] {
  const names = [...preview.matchAll(/^ +[~+-] (\w+) *:/gm)].map(([, name = ""]) => name);
  return [...new Set(names)].sort();
}

/** Neither a plain preview nor a refresh finds anything to change. */
async function expectSettled(): Promise<void> {
  await succeed(project, "preview", "--expect-no-changes");
  await succeed(project, "refresh", "--yes", "--skip-preview", "--expect-no-changes");
}

test("an update returns once the follower has all that its leader has, and nothing is left to change", async () => {
  await declare();
  await up(project);
  await Promise.all([fill("lead"), fill("other")]);
  await declare("leader: lead");
  const { output } = await up(project);
  expect(await ask("copy", "DBSIZE")).toBe(KEYS);
  expect(output).not.toMatch(/replac/);
  const stack = await project.stack();
  const outputs = await stack.outputs();
  expect(outputs["role"]?.value).toBe("follower");
  expect(outputs["replicationId"]?.value).toBe(await replication("lead", "master_replid"));
  expect(String(outputs["address"]?.value)).toBe(new URL(await url("lead")).port);
  await expect(write(await url("copy"), "mine", "x")).rejects.toMatchObject({ code: "read-only" });
  await expectSettled();
});

test("another leader is followed in place; as it replaces data, the program has to say so, and they are backed up", async () => {
  const pid = await project.home.serverPid(COPY);
  await declare("leader: other");
  const preview = await refused("preview");
  expect(preview).toContain(`${KEYS} keys`);
  expect(preview).toContain("replaceData");
  expect(await ask("copy", "GET", "lead:0")).toBe("x");

  await declare("leader: other, replaceData: true");
  const announced = await succeed(project, "preview");
  expect(announced.output).toMatch(new RegExp(`${KEYS} keys`));
  expect(announced.output).toMatch(/1 to update/);
  const { output } = await up(project);
  expect(output).toMatch(/1 updated/);
  expect(output).toMatch(/in the backup \d{8}T\d{9}Z/);
  expect(await project.home.serverPid(COPY)).toBe(pid);
  expect(await ask("copy", "GET", "lead:0")).toBeNull();
  expect(await ask("copy", "GET", "other:0")).toBe("x");
  await expectSettled();
});

test("`promote: true` makes a leader of it, up to an offset that is told, and touches neither server nor old leader", async () => {
  const pid = await project.home.serverPid(COPY);
  const end = Number(await replication("other", "master_repl_offset"));
  await declare("leader: other, replaceData: true, promote: true");
  const announced = await succeed(project, "preview", "--diff");
  expect(announced.output).toMatch(/~ promote +: false => true/);
  expect(changedIn(announced.output)).toEqual(["promote", "role"]);
  const { output } = await up(project);
  expect(offsetIn(output), output).toBeGreaterThanOrEqual(end);
  await write(await url("copy"), "mine", "x");
  expect(await ask("copy", "DBSIZE")).toBe(KEYS + 1);
  expect(await replication("other", "role")).toBe("master");
  expect(await project.home.serverPid(COPY)).toBe(pid);
  expect((await succeed(project, "stack", "output", "role")).stdout.trim()).toBe("leader");
  await expectSettled();
});

test("taken back, it follows again only if what was written to it since may go", async () => {
  await declare("leader: other");
  expect(await refused("preview")).toContain(`${KEYS + 1} keys`);
  expect(await refused("up", "--yes", "--skip-preview")).toContain("replaceData");
  expect(await read(await url("copy"), "mine")).toBe("x");

  await declare("leader: other, replaceData: true");
  const { output } = await up(project);
  expect(output).toMatch(/in the backup \d{8}T\d{9}Z/);
  expect(await ask("copy", "DBSIZE")).toBe(KEYS);
  expect((await succeed(project, "stack", "output", "role")).stdout.trim()).toBe("follower");
});

test("a switchover that a person makes stands in the next preview, and an update takes it back", async () => {
  await redisAddon("follower", "switchover", COPY, "--yes");
  expect(await replication("copy", "role")).toBe("master");
  const preview = await succeed(project, "preview");
  expect(preview.output).toMatch(/1 to update/);
  await write(await url("copy"), "while it led", "x");
  const { output } = await up(project);
  expect(output).toMatch(/roles exchanged: writes stood still for \d+ ms/);
  expect(await replication("other", "role")).toBe("master");
  expect(await read(await url("other"), "while it led")).toBe("x");
  await expectSettled();
});

test("removing the RedisFollower promotes it with its data, and says up to where", async () => {
  const end = Number(await replication("other", "master_repl_offset"));
  await declare();
  const { output } = await up(project);
  expect(output).toMatch(/1 deleted/);
  expect(offsetIn(output), output).toBeGreaterThanOrEqual(end);
  expect(await replication("copy", "role")).toBe("master");
  expect(await ask("copy", "GET", "other:0")).toBe("x");
  await write(await url("copy"), "mine", "x");
  await expectSettled();
});
