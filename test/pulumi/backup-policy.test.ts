import { execFile } from "node:child_process";
import { readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import { backUp } from "../../provider/operations/backups";
import { makePulumiProject, type PulumiProject } from "../support/pulumi-project";
import { secretOutput, succeed, up, write } from "../support/stack-user";

/** The policies of add-ons of one program: each test goes on from the last. */
let project: PulumiProject;
const CACHE = "shop-dev-cache";

beforeAll(async () => {
  project = await makePulumiProject();
  await project.pulumi("stack", "init", "dev");
});
afterAll(() => project[Symbol.asyncDispose]());

const declare = (policies: string) =>
  project.program(`
  const { BackupPolicy, RedisAddon, backupPolicies } = require("pulumi-redis-addon");
  const cache = new RedisAddon("cache", { plan: "s_mono" });
  exports.url = cache.redisUrl;
  ${policies}`);
const nightly = (args: string, options = "{}") =>
  `new BackupPolicy("nightly", { addon: cache, ${args} }, ${options});`;

async function refused(...args: string[]): Promise<string> {
  const { code, output } = await project.pulumi(...args, "--stack", "dev");
  expect(code, output).not.toBe(0);
  return output;
}

const premium = (value: string) =>
  succeed(
    project,
    "config",
    ...(value === "" ? ["rm"] : ["set"]),
    "redis-addon:tier",
    ...(value === "" ? [] : [value]),
  );
const policy = async () => (await project.home.platform.load(CACHE))?.backups;
const policyUrn = (name: string) =>
  `urn:pulumi:dev::shop::pulumi-nodejs:dynamic/redis-addon:BackupPolicy::${name}`;

/** What lies in a folder and below, with when it was changed. */
async function contents(folder: string): Promise<string> {
  const { stdout } = await promisify(execFile)("find", [folder, "-printf", "%p %s %T@\\n"]);
  return stdout.split("\n").sort().join("\n");
}

test("a frequency of one's own is refused in the first preview, until the stack's config says premium", async () => {
  await declare(nightly(`schedule: { every: "6h" }, retention: { days: 30 }`));
  expect(await refused("preview")).toMatch(/`tier: "premium"`.*pulumi config set redis-addon:tier premium/);
  await premium("premium");
  await succeed(project, "preview");
  await up(project);
  expect((await policy())?.wish).toEqual({ schedule: { every: "6h" }, retention: { days: 30 } });
  await succeed(project, "preview", "--diff", "--expect-no-changes");
  await succeed(project, "refresh", "--yes", "--skip-preview", "--expect-no-changes");
});

test("an add-on can't go back to standard while the program wants more for it", async () => {
  await premium("");
  expect(await refused("preview")).toContain('`tier: "premium"`');
  expect(await refused("up", "--yes")).toContain('`tier: "premium"`');
  expect((await project.home.platform.load(CACHE))?.server.wish.tier).toBe("premium");
  await premium("premium");
});

test.each([
  [
    "the add-on itself",
    "cache",
    /BackupPolicy second: its add-on has a policy already, BackupPolicy nightly/,
  ],
  ["its id", "cache.id", /BackupPolicy second: its add-on has a policy already, BackupPolicy nightly/],
  ["a text", `"${CACHE}"`, /it has a backup policy already, the resource nightly \(urn:pulumi:dev::shop::/],
  [
    "what is made of its id",
    "cache.id.apply((id) => id)",
    /it has a backup policy already, the resource nightly \(urn:pulumi:dev::shop::/,
  ],
])("a second policy, for %s, is refused in the preview by name", async (_, addon, message) => {
  await declare(
    `${nightly(`schedule: { every: "6h" }, retention: { days: 30 }`)}
     new BackupPolicy("second", { addon: ${addon} });`,
  );
  const output = await refused("preview");
  expect(output).toMatch(message);
  expect(output).not.toMatch(/\n +at .*backup-policy/);
});

test("a change says what it would remove, and removes nothing before the next backup", async () => {
  await declare(nightly(`schedule: { every: "6h" }, retention: { days: 30 }`));
  await up(project);
  await write(await secretOutput(project, "url"), "kept", "yes");
  for (let i = 0; i < 3; i++) await backUp(project.home.platform, CACHE, project.home.task);
  const folder = join(project.home.path, "backups");
  const before = await contents(folder);

  await declare(nightly(`schedule: { every: "6h" }, retention: { keepLast: 1 }`));
  const { output } = await succeed(project, "preview");
  expect(output).toMatch(/would remove 2 backups, [\d.]+ (Ki)?B, oldest 20\S+Z, with the next backup/);
  expect(output).toContain(`redis-addon backup prune ${CACHE} --dry-run --keep-last 1`);
  expect(await contents(folder)).toBe(before);
  await up(project);
  expect(await contents(folder)).toBe(before);
});

test("a policy that is called otherwise is told by its alias, and stays one through a forced replacement", async () => {
  const settled = `schedule: { every: "6h" }, retention: { keepLast: 1 }`;
  const hourly = (options: string) =>
    declare(`new BackupPolicy("hourly", { addon: cache, ${settled} }, ${options});`);
  await hourly("{}");
  expect(await refused("preview")).toContain(`aliases: ["${policyUrn("nightly")}"]`);
  expect(await refused("up", "--yes", "--skip-preview")).toContain("the resource nightly");
  await hourly(`{ aliases: ["${policyUrn("nightly")}"] }`);
  expect((await up(project)).output).toMatch(/1 updated/);
  expect(await policy()).toMatchObject({ urn: policyUrn("hourly"), wish: { retention: { keepLast: 1 } } });

  const { output } = await up(project, "--replace", policyUrn("hourly"));
  expect(output).toContain("nothing was changed");
  expect((await policy())?.wish.retention).toEqual({ keepLast: 1 });
  await succeed(project, "preview", "--expect-no-changes");
});

test("a policy that the state forgot is taken up again by the same resource", async () => {
  await succeed(project, "state", "delete", policyUrn("hourly"), "--yes");
  expect((await up(project)).output).toMatch(/1 created/);
  await succeed(project, "preview", "--expect-no-changes");
});

test("another destination says how many backups stay at the old one, and makes no folder before the update", async () => {
  const destination = join(project.folder, "..", "elsewhere");
  await declare(
    `new BackupPolicy("hourly", { addon: cache, schedule: { every: "6h" }, retention: { days: 7 },
       destination: "${pathToFileURL(destination).href}", alerts: { webhook: "http://127.0.0.1:9/hush-hush-hush" } });`,
  );
  const { output } = await succeed(project, "preview", "--diff");
  expect(output).toMatch(
    /3 backups stay in file:\S+\/backups\/shop-dev-cache-\w+, where nothing removes them/,
  );
  await expect(readdir(destination)).rejects.toThrow("ENOENT");
  const updated = await up(project);
  const { stdout } = await succeed(project, "stack", "export");
  for (const text of [output, updated.output, stdout]) expect(text).not.toContain("hush-hush-hush");
  expect((await policy())?.wish.alerts).toEqual({ webhook: "http://127.0.0.1:9/hush-hush-hush" });
  await succeed(project, "refresh", "--yes", "--skip-preview", "--expect-no-changes");
});

test("without its policy an add-on is back at the default, and no backup is gone", async () => {
  const folder = join(project.home.path, "backups");
  const before = await contents(folder);
  await declare("");
  const { output } = await up(project);
  expect(output).toMatch(/shop-dev-cache is backed up daily and for 7 days again; no backup was removed/);
  expect(await policy()).toBeUndefined();
  expect(await contents(folder)).toBe(before);
});

test("the last backups of deleted add-ons go where their policies say, verified", async () => {
  const destination = join(project.folder, "..", "last");
  await declare(`
    const queue = new RedisAddon("queue", { plan: "s_mono" });
    backupPolicies({ cache, queue: queue.id }, { destination: "${pathToFileURL(destination).href}" });
    exports.queue = queue.redisUrl;`);
  expect((await up(project)).output).toMatch(/3 created/);
  for (const name of ["url", "queue"]) await write(await secretOutput(project, name), "kept", "yes");

  const { output } = await succeed(project, "destroy", "--yes");
  const told = [...output.matchAll(/its final backup: (file:\S+)\/\S+ \(verified\)/g)].map(
    ([, folder = ""]) => folder,
  );
  const catalogs = await readdir(destination);
  expect(catalogs.map((name) => name.replace(/-\w+$/, "")).sort()).toEqual([CACHE, "shop-dev-queue"]);
  expect([...new Set(told)].sort()).toEqual(
    catalogs.map((name) => pathToFileURL(join(destination, name)).href).sort(),
  );
  for (const name of catalogs) {
    const files = await readdir(join(destination, name));
    expect(files.filter((file) => file.endsWith(".verified.json"))).toHaveLength(1);
  }
});

test("one process may run a program as often as it likes: no run knows of another's policies", async () => {
  await writeFile(
    join(project.folder, "automation.js"),
    `const { LocalWorkspace } = require("@pulumi/pulumi/automation");
     const { BackupPolicy, RedisAddon } = require("pulumi-redis-addon");
     const program = async () => {
       const cache = new RedisAddon("cache", { plan: "s_mono" });
       new BackupPolicy("nightly", { addon: cache });
     };
     (async () => {
       const stack = await LocalWorkspace.createOrSelectStack(
         { stackName: "automation", projectName: "shop", program },
         { workDir: process.cwd() },
       );
       for (const run of [1, 2]) console.log(run, JSON.stringify((await stack.preview()).changeSummary));
     })().catch((error) => { console.error(error); process.exitCode = 1; });`,
  );
  const { stdout } = await promisify(execFile)(process.execPath, ["automation.js"], {
    cwd: project.folder,
    env: { ...process.env, ...project.env },
  });
  expect(stdout).toMatch(/^1 \{"create":3\}\n2 \{"create":3\}\n$/);
});
