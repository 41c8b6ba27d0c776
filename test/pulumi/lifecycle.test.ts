import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connectRedis } from "../../provider/redis/client";
import { eventually } from "../support/data-home";
import { makePulumiProject, type PulumiProject } from "../support/pulumi-project";

let project: PulumiProject;
beforeAll(async () => {
  project = await makePulumiProject();
});
afterAll(() => project[Symbol.asyncDispose]());

const program = (evictionPolicy: string) => `
const { BackupPolicy, RedisAddon, RedisFollower } = require("pulumi-redis-addon");
const pulumi = require("@pulumi/pulumi");
const group = new pulumi.ComponentResource("test:Group", "group");
const lead = new RedisAddon("lead", { plan: "s_mono", tier: "premium", evictionPolicy: "${evictionPolicy}" }, { parent: group });
const copy = new RedisAddon("copy", { plan: "s_mono" }, { parent: group });
const following = new RedisFollower("following", { addon: copy, leader: lead });
new BackupPolicy("backups", { addon: lead, schedule: { every: "6h" }, retention: { days: 30 } });
exports.lead = lead.name;
exports.url = lead.redisUrl;
exports.password = lead.password;
exports.copyUrl = copy.redisUrl;
exports.address = pulumi.interpolate\`\${lead.host}:\${lead.port}\`;
exports.follows = pulumi.interpolate\`\${following.leaderHost}:\${following.leaderPort}\`;
`;

test("an update makes a leader, a follower in sync and a policy, and says on each row what it does", async () => {
  await project.program(program("noeviction"));
  const stack = await project.stack();
  const preview = await stack.preview();
  expect(preview.changeSummary).toEqual({ create: 6 });
  const { outputs, stdout } = await stack.up();

  expect(outputs["lead"]?.value).toBe("shop-dev-lead");
  expect(outputs["follows"]?.value).toBe(outputs["address"]?.value);
  for (const key of ["url", "password", "copyUrl"]) expect(outputs[key]?.secret, key).toBe(true);
  expect(stdout).toMatch(/RedisAddon lead .*starting Redis/);

  await using leader = await client(outputs["url"]?.value);
  await using follower = await client(outputs["copyUrl"]?.value);
  await leader.command("SET", "greeting", "hello");
  await eventually(
    "the follower has the key",
    async () => (await follower.command("GET", "greeting")) === "hello",
  );
});

test("a second update, a refresh and an update after it change nothing", async () => {
  const stack = await project.stack();
  expect((await stack.up()).summary.resourceChanges).toEqual({ same: 6 });
  expect((await stack.refresh()).summary.resourceChanges).toEqual({ same: 6 });
  const preview = await project.pulumi("preview", "--stack", "dev", "--diff", "--expect-no-changes");
  expect(preview).toMatchObject({ code: 0, output: expect.not.stringContaining("[secret]") });
});

test("the preview of an update shows the changed input alone and keeps every output", async () => {
  await project.program(program("allkeys-lru"));
  const { output, code } = await project.pulumi("preview", "--stack", "dev", "--diff");
  expect(code).toBe(0);
  expect(output.match(/^ +[~+-] \w+ *:.*$/gm)).toEqual([
    expect.stringMatching(/~ evictionPolicy: "noeviction" => "allkeys-lru"/),
  ]);
  expect(output).toMatch(/1 to update\n +5 unchanged/);
  // A changed stack output would mean that dependants change.
  expect(output).not.toMatch(/Outputs:|unknown|output</);
});

test("the eviction policy changes while the server runs", async () => {
  const stack = await project.stack();
  const pid = await project.home.serverPid("shop-dev-lead");
  const { summary, outputs } = await stack.up();
  expect(summary.resourceChanges).toEqual({ update: 1, same: 5 });
  expect(await project.home.serverPid("shop-dev-lead")).toBe(pid);
  await using server = await client(outputs["url"]?.value);
  expect(await server.command("INFO", "memory")).toContain("maxmemory_policy:allkeys-lru");
});

test("what changed behind Pulumi's back is put right by a plain update", async () => {
  const { platform, task } = project.home;
  const record = await platform.load("shop-dev-lead");
  if (record === undefined) throw new Error("no record");
  const claim = { kind: "carry", token: record.server.instance.token } as const;
  const wish = { ...record.server.wish, evictionPolicy: "volatile-ttl" } as const;
  await platform.apply({ facet: "server", name: record.name, claim, given: [], wish }, task);
  const stack = await project.stack();
  expect((await stack.up()).summary.resourceChanges).toEqual({ update: 1, same: 5 });
  expect((await platform.load("shop-dev-lead"))?.server.wish.evictionPolicy).toBe("allkeys-lru");
});

test("no password stands in any file of Pulumi's, in clear", async () => {
  const stack = await project.stack();
  const password = String((await stack.outputs())["password"]?.value);
  expect(password.length).toBeGreaterThan(20);
  const root = join(project.folder, "..");
  const entries = await Promise.all(
    ["backend", "home", "program"].map((folder) =>
      readdir(join(root, folder), { withFileTypes: true, recursive: folder !== "program" }),
    ),
  );
  const files = entries
    .flat()
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  expect(files.some((file) => file.endsWith(".pulumi/stacks/shop/dev.json"))).toBe(true);
  for (const file of files) expect(await readFile(file, "utf8"), file).not.toContain(password);
});

test("a forced replacement keeps the data", async () => {
  const stack = await project.stack();
  const url = async () => (await stack.outputs())["url"]?.value;
  {
    await using before = await client(await url());
    await before.command("SET", "kept", "yes");
  }
  const urn = "urn:pulumi:dev::shop::test:Group$pulumi-nodejs:dynamic/redis-addon:RedisAddon::lead";
  const { output, code } = await project.pulumi(
    "up",
    "--stack",
    "dev",
    "--yes",
    "--skip-preview",
    "--replace",
    urn,
  );
  expect(code, output).toBe(0);
  expect(output).toContain(
    "shop-dev-lead was taken over by a newer resource of the same name: nothing was deleted",
  );
  await using after = await client(await url());
  expect(await after.command("GET", "kept")).toBe("yes");
  expect((await stack.up()).summary.resourceChanges).toEqual({ same: 6 });
});

test("after destroy no server is left, and it said where the final backups are", async () => {
  const stack = await project.stack();
  const url = (await stack.outputs())["url"]?.value;
  const { summary, stdout } = await stack.destroy();
  expect(summary.resourceChanges).toEqual({ delete: 6 });
  const backups = [...stdout.matchAll(/its final backup: file:\/\/(\S+)/g)].map(([, file]) => file ?? "");
  expect(new Set(backups).size).toBe(2);
  for (const file of backups) expect(existsSync(file), file).toBe(true);
  expect(await readdir(join(project.home.path, "addons"))).toEqual([]);
  await expect(client(url)).rejects.toMatchObject({ code: "refused" });
});

async function client(url: unknown) {
  const { hostname, port, username, password } = new URL(String(url));
  const task = { ...project.home.task, signal: AbortSignal.timeout(10_000) };
  return connectRedis({ host: hostname, port: Number(port), username, password, subject: "test" }, task);
}
