import { readdir } from "node:fs/promises";
import { join } from "node:path";
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
