import { existsSync } from "node:fs";
import { chmod, mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makePulumiProject, type PulumiProject } from "../support/pulumi-project";

let project: PulumiProject;
beforeAll(async () => {
  project = await makePulumiProject();
  await project.pulumi("stack", "init", "dev");
});
afterAll(() => project[Symbol.asyncDispose]());

const ADDON = `new RedisAddon("a", { plan: "s_mono" })`;

// The table of every input stands in the unit tests; these are what only the engine can show: how it prints them.
test.each([
  [
    `new RedisAddon("a", { plan: "huge" })`,
    /property plan value \{huge\} has a problem: there is no such plan: s_mono/,
  ],
  [`new RedisAddon("a", { plan: "s_mono", port: 70000 })`, /property port value \{70000\} .*1 to 65535/],
  [`new RedisAddon("a", { plan: "s_mono", name: "a/b" })`, /property name .*replace them by hyphens/],
  [
    `new RedisAddon("a", { plan: "s_mono", platform: { kind: "local", dataHome: "/dev/null/below" } })`,
    /`platform`: \/dev\/null\/below can't be made: .*; choose a folder/,
  ],
  [`new RedisAddon("a", { plan: "s_mono", version: "6.2.1" })`, /property version .*6\.2\.1/],
  [
    `new BackupPolicy("b", { addon: ${ADDON}, schedule: { cron: "61 * * * *" } })`,
    /`schedule\.cron`: "61 \* \* \* \*" is no cron expression .*such as "30 3 \* \* \*"/,
  ],
  [
    `new BackupPolicy("b", { addon: ${ADDON}, schedule: { every: "6h" } })`,
    /set `tier: "premium"` on the add-on/,
  ],
  [`new RedisFollower("f", { addon: ${ADDON} })`, /`leader`: name the leader/],
  [`new RedisFollower("f", { addon: ${ADDON}, leader: "nobody" })`, /there is no add-on nobody/],
  [
    `new RedisFollower("f", { addon: ${ADDON}, leader: { host: "h", port: 0, password: "hush-hush" } })`,
    /`leader\.port`: write a whole number from 1 to 65535/,
  ],
  [
    `new RedisFollower("f", { addon: ${ADDON}, leader: require("@pulumi/pulumi").output({ host: "h", port: 0, password: "hush-hush" }) })`,
    /`leader\.port`: write a whole number from 1 to 65535/,
  ],
  [`new RedisAddon("a", { plan: "s_mono", pasword: "hush-hush" })`, /there is no input `pasword`/],
  [
    `new RedisAddon("a", { plan: "s_mono" }, { import: "cache" })`,
    /can't import.*Leave it out and give the add-on's name/,
  ],
])("%s fails in the preview with property and remedy, and touches nothing", async (statement, message) => {
  await project.program(
    `const { BackupPolicy, RedisAddon, RedisFollower } = require("pulumi-redis-addon");\n${statement};`,
  );
  const { code, output } = await project.pulumi("preview", "--stack", "dev", "--diff");
  expect(output).toMatch(message);
  expect(output).not.toMatch(/hush-hush|\n +at .*:\d+:\d+/);
  expect(code).not.toBe(0);
  expect(await readdir(project.home.path)).toEqual([]);
});

test("a redis-server that is too old fails in the preview, naming itself and what to install", async () => {
  await using tools = await temporaryFolder();
  const old = join(tools.path, "redis-server");
  await writeFile(old, `#!/bin/sh\necho "Redis server v=6.2.14 sha=00000000:0"\n`);
  await chmod(old, 0o755);
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const others = folders.filter(
    (folder) => !["redis", "valkey"].some((kind) => existsSync(join(folder, `${kind}-server`))),
  );
  await project.program(`const { RedisAddon } = require("pulumi-redis-addon"); ${ADDON};`);
  const environment = { PATH: [tools.path, ...others].join(delimiter) };
  const { code, output } = await project.in(environment, "preview", "--stack", "dev");
  expect(output).toMatch(
    /property version .*Redis 6\.2\.14 is too old: Redis 7\.0 or newer.*apt-get install redis-server/,
  );
  expect(code).not.toBe(0);
  expect(await readdir(project.home.path)).toEqual([]);
});

test("the stack's config sets the tier of add-ons that don't, and the data home", async () => {
  await project.program(`
    const { BackupPolicy, RedisAddon } = require("pulumi-redis-addon");
    const a = new RedisAddon("a", { plan: "s_mono" });
    new BackupPolicy("b", { addon: a, schedule: { every: "6h" } });
    exports.tier = a.tier;
    exports.platform = a.platform;`);
  await project.pulumi("config", "set", "redis-addon:tier", "premium", "--stack", "dev");
  await project.pulumi(
    "config",
    "set",
    "redis-addon:dataHome",
    join(project.home.path, "other"),
    "--stack",
    "dev",
  );
  const { code, output } = await project.pulumi("preview", "--stack", "dev", "--diff");
  expect(code, output).toBe(0);
  expect(output).toMatch(/tier +: "premium"/);
  expect(output).toMatch(/dataHome: ".*\/other"/);
});

async function temporaryFolder(): Promise<{ path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "rat-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}
