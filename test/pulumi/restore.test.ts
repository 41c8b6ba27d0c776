import { copyFile, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../.dev/setup/run.mjs";
import { backUpAny } from "../../provider/operations/backup-any";
import { makePulumiProject, type PulumiProject } from "../support/pulumi-project";
import { connectUrl, read, secretOutput, succeed, up, write } from "../support/stack-user";

/** One stack whose add-on `copy` is restored again and again: each test goes on from the last. */
let project: PulumiProject;
/** Where a person keeps backups of their own. */
let shelf: string;
const KEYS = 500;
const COPY = "shop-dev-copy";
const PASSPHRASE = "hush-hush open sesame";

beforeAll(async () => {
  project = await makePulumiProject();
  shelf = await mkdtemp(join(tmpdir(), "shelf-"));
  await project.pulumi("stack", "init", "dev");
});
afterAll(async () => {
  await project[Symbol.asyncDispose]();
  await rm(shelf, { recursive: true });
});

/** `copy`: the inputs of that add-on beside its plan; absent: there is none. */
const declare = (copy?: string, others = "") =>
  project.program(`
    const pulumi = require("@pulumi/pulumi");
    const { RedisAddon } = require("pulumi-redis-addon");
    const source = new RedisAddon("source", { plan: "s_mono" });
    exports.source = source.redisUrl;
    ${others}
    ${
      copy === undefined
        ? ""
        : `const copy = new RedisAddon("copy", { plan: "s_mono", ${copy} });
           exports.copy = copy.redisUrl;
           exports.backup = copy.restoredBackup;`
    }`);

const url = (name: "source" | "copy") => secretOutput(project, name);

async function refused(...args: string[]): Promise<string> {
  const { code, output } = await project.pulumi(...args, "--stack", "dev");
  expect(code, output).not.toBe(0);
  return output;
}

async function keysOf(name: "source" | "copy"): Promise<unknown> {
  await using client = await connectUrl(await url(name));
  return await client.command("DBSIZE");
}

async function restoredBackup(): Promise<string> {
  return (await succeed(project, "stack", "output", "backup")).stdout.trim();
}

/** Neither a plain preview nor a refresh finds anything to change. */
async function expectSettled(): Promise<void> {
  await succeed(project, "preview", "--expect-no-changes");
  await succeed(project, "refresh", "--yes", "--skip-preview", "--expect-no-changes");
}

/** Takes one by the command line of the package that the program uses. */
async function backUp(name: string): Promise<{ slot: string; archive: string }> {
  const main = join(project.folder, "node_modules/pulumi-redis-addon/dist/provider/cli/main.js");
  const env = { ...process.env, ...project.env };
  const output = await run(process.execPath, [main, "backup", "run", name, "--json"], {
    cwd: project.folder,
    env,
  });
  return JSON.parse(output) as { slot: string; archive: string };
}

let first: { slot: string; archive: string };

test("a backup that isn't there, or doesn't exist yet, makes no add-on", async () => {
  await declare();
  await up(project);
  await declare(`restoreFrom: { addon: source }`);
  const output = await refused("preview");
  expect(output).toMatch(/`restoreFrom`: cannot find a backup of shop-dev-source: there are none in/);
  await declare(`restoreFrom: { addon: "shop-dev-sauce" }`);
  expect(await refused("preview")).toMatch(/a URL that ends in \/shop-dev-sauce-\w{8}/);

  await declare(
    `restoreFrom: { addon: later }`,
    `const later = new RedisAddon("later", { plan: "s_mono" });`,
  );
  const announced = await succeed(project, "preview");
  expect(announced.output).toMatch(/backup of something that this update makes first.*known only then/);
  expect(await refused("up", "--yes", "--skip-preview")).toMatch(
    /there are none in .*backup run shop-dev-later/s,
  );
  expect(await readdir(join(project.home.path, "addons"))).not.toContain(COPY);
});

test("a new add-on begins with the newest backup of another one, and is then let alone", async () => {
  await using client = await connectUrl(await url("source"));
  for (let i = 0; i < KEYS; i++) await client.command("SET", `key:${i}`, "x");
  first = await backUp("shop-dev-source");
  await client.command("SET", "later", "x");

  await declare(`restoreFrom: { addon: source }`);
  const announced = await succeed(project, "preview");
  expect(announced.output).toMatch(
    new RegExp(`its data will be those of backup ${first.slot} \\(taken \\S+, ${KEYS} keys, .*, verified\\)`),
  );
  const { output } = await up(project);
  expect(output).toMatch(new RegExp(`restored from backup ${first.slot} \\(${KEYS} keys\\) in [\\d.]+ s`));
  expect(await keysOf("copy")).toBe(KEYS);
  expect(await restoredBackup()).toBe(first.slot);
  await expectSettled();

  await backUp("shop-dev-source");
  await write(await url("copy"), "mine", "x");
  await up(project, "--expect-no-changes");
  expect(await read(await url("copy"), "mine")).toBe("x");
  expect(await restoredBackup()).toBe(first.slot);
});

test("neither a wish that is unset nor replaceData alone changes anything", async () => {
  for (const inputs of ["", "replaceData: true", "restoreFrom: { addon: source }"]) {
    await declare(inputs);
    await succeed(project, "preview", "--expect-no-changes");
    await up(project, "--expect-no-changes");
  }
  await expectSettled();
  // The refresh has told the engine anew what the inputs are.
  await succeed(project, "preview", "--expect-no-changes");
  expect(await read(await url("copy"), "mine")).toBe("x");
});

test("another backup is put in place only with replaceData, told by the preview, and what was there is kept", async () => {
  const catalog = first.archive.slice(0, first.archive.lastIndexOf("/"));
  const from = `restoreFrom: { url: ${JSON.stringify(catalog)}, backup: "${first.slot}" }`;
  await declare(from);
  for (const args of [["preview"], ["up", "--yes", "--skip-preview"]])
    expect(await refused(...args)).toMatch(
      new RegExp(
        `cannot change the restoreFrom of ${COPY}: ${COPY} holds ${KEYS + 1} keys .*set \`replaceData`,
      ),
    );
  expect(await read(await url("copy"), "mine")).toBe("x");

  const pid = await project.home.serverPid(COPY);
  await declare(`${from}, replaceData: true`);
  const announced = await succeed(project, "preview", "--diff");
  expect(announced.output).toMatch(
    new RegExp(
      `${KEYS + 1} keys \\(.*\\) of ${COPY} will be replaced by backup ${first.slot} .*; ` +
        "a verified backup of them is taken first; its users can't write for about [\\d.]+ s",
    ),
  );
  expect(changedIn(announced.output)).toEqual(["replaceData", "restoreFrom"]);
  const { output } = await up(project);
  const [, safety = ""] = /what it held before is in the backup (\d{8}T\d{9}Z)/.exec(output) ?? [];
  expect(output).toMatch(/its users could not write for [\d.]+ s/);
  expect(await keysOf("copy")).toBe(KEYS);
  expect(await read(await url("copy"), "mine")).toBeNull();
  expect(await project.home.serverPid(COPY)).not.toBe(pid);
  await expectSettled();

  await declare(`restoreFrom: { addon: "${COPY}", backup: "${safety}" }, replaceData: true`);
  await up(project);
  expect(await read(await url("copy"), "mine")).toBe("x");
  expect(await restoredBackup()).toBe(safety);
  await expectSettled();
});

test("an archive that lies alone is restored", async () => {
  const path = join(shelf, "of last year.tar.gz");
  await copyFile(fileURLToPath(first.archive), path);
  await declare(`restoreFrom: { url: "${pathToFileURL(path).href}" }, replaceData: true`);
  expect((await succeed(project, "preview")).output).toMatch(/of last year.tar.gz \(without a manifest/);
  await up(project);
  expect(await keysOf("copy")).toBe(KEYS);
  expect(await restoredBackup()).toBe("of last year.tar.gz");
  await expectSettled();
});

test("what opens an encrypted backup is a secret everywhere", async () => {
  const { hostname: host, port, password } = new URL(await url("source"));
  const store = pathToFileURL(shelf).href;
  await backUpAny(
    {
      source: { host, port: Number(port), password: decodeURIComponent(password) },
      ...{ destination: store, name: "locked", encryption: { passphrase: PASSPHRASE }, verify: false },
    },
    project.home.task,
  );
  const from = (key: string) => `restoreFrom: { url: "${store}/locked"${key} }, replaceData: true`;
  await declare(from(""));
  expect(await refused("preview")).toMatch(/it is encrypted with a passphrase, which nobody here knows/);
  await declare(from(`, key: { passphrase: "${PASSPHRASE}" }`));
  const outputs = [await succeed(project, "preview", "--diff"), await up(project, "--diff")];
  expect(await read(await url("copy"), "later")).toBe("x");
  await expectSettled();
  outputs.push(await succeed(project, "stack", "export"), await succeed(project, "stack", "output"));
  for (const { output } of outputs) expect(output).not.toMatch(/hush-hush/);
});

test("an add-on whose data are gone comes back with a backup's", async () => {
  const pid = await project.home.serverPid(COPY);
  process.kill(await project.home.agentPid(), "SIGKILL");
  process.kill(pid, "SIGKILL");
  await rm(join(project.home.path, "addons", COPY, "data"), { recursive: true });
  await declare(`restoreFrom: { addon: source, backup: "latest-verified" }, replaceData: true`);
  const announced = await succeed(project, "preview");
  expect(announced.output).toMatch(/its server doesn't answer, so nobody knows what would be replaced/);
  const { output } = await up(project);
  expect(output).toMatch(/restored from backup/);
  expect(await keysOf("copy")).toBe(KEYS + 1);
  await expectSettled();
});

/** The names of inputs and outputs that a preview's details show as changed. */
function changedIn(preview: string): string[] {
  const names = [...preview.matchAll(/^ {6}[~+-] (\w+) *:/gm)].map(([, name = ""]) => name);
  return [...new Set(names)].sort();
}
