import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, join } from "node:path";
import { list } from "tar";
import { afterAll, beforeAll, expect, test } from "vitest";
import { run } from "../../.dev/setup/run.mjs";

/** The package as users get it: packed from the sources alone, installed by npm in a project that knows no checkout. */
const ROOT = join(import.meta.dirname, "../..");
const STAYS_BEHIND = new Set(["node_modules", "dist", ".git", ".pulumi-local"]);

const cleanUp = new AsyncDisposableStack();
let tarball: string;
let project: string;
let env: NodeJS.ProcessEnv;

beforeAll(async () => {
  const root = await mkdtemp(join(tmpdir(), "rapkg-"));
  cleanUp.defer(() => rm(root, { recursive: true, force: true, maxRetries: 5, retryDelay: 100 }));
  project = join(root, "project");
  env = {
    ...process.env,
    PULUMI_HOME: join(root, "pulumi"),
    PULUMI_BACKEND_URL: `file://${join(root, "backend")}`,
    PULUMI_CONFIG_PASSPHRASE: "of the test",
    PULUMI_SKIP_UPDATE_CHECK: "true",
    PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION: "true",
    REDIS_ADDON_HOME: join(root, "home"),
  };
  await mkdir(join(root, "backend"));
  tarball = await pack(root);
  await installInto(project);
  cleanUp.defer(async () => {
    await inProject("npx", "--no-install", "redis-addon", "agent", "stop");
  });
}, 120_000);
afterAll(() => cleanUp.disposeAsync());

/** From a copy without dist, as in a fresh clone: what is packed is what `prepack` has built. */
async function pack(root: string): Promise<string> {
  const clone = join(root, "clone");
  await cp(ROOT, clone, { recursive: true, filter: (path) => !STAYS_BEHIND.has(basename(path)) });
  await symlink(join(ROOT, "node_modules"), join(clone, "node_modules"));
  await run("npm", ["pack", "--silent", "--pack-destination", root], { cwd: clone, env });
  const [file] = (await readdir(root)).filter((name) => name.endsWith(".tgz"));
  if (file === undefined) throw new Error("npm pack made no tarball");
  return join(root, file);
}

/** By npm as a user would, with the versions that this checkout's own npm has fetched before. */
async function installInto(folder: string): Promise<void> {
  await mkdir(folder);
  await writeFile(join(folder, "package.json"), JSON.stringify({ name: "shop", private: true }));
  const others = await Promise.all(["@pulumi/pulumi", "typescript", "@types/node"].map(asInstalledHere));
  const quietly = ["--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error"];
  await inProject("npm", "install", ...quietly, tarball, ...others);
}

async function asInstalledHere(name: string): Promise<string> {
  const file = join(ROOT, "node_modules", name, "package.json");
  const { version } = JSON.parse(await readFile(file, "utf8")) as { version: string };
  return `${name}@${version}`;
}

/** Resolves to what it printed on standard output; fails with all that it printed. */
function inProject(command: string, ...args: string[]): Promise<string> {
  return run(command, args, { cwd: project, env });
}

/** A Pulumi project of the folder `.` or below it, with its stack `dev`. */
async function program(folder: string, files: Readonly<Record<string, string>>): Promise<void> {
  await mkdir(join(project, folder), { recursive: true });
  const manifest = `name: shop${folder === "." ? "" : `-${folder}`}\nruntime: nodejs\n`;
  for (const [name, text] of Object.entries({ ...files, "Pulumi.yaml": manifest }))
    await writeFile(join(project, folder, name), text);
  await pulumi(folder, "stack", "init");
}

function pulumi(folder: string, ...args: string[]): Promise<string> {
  return inProject("pulumi", ...args, "--non-interactive", "--cwd", folder, "--stack", "dev");
}

const listed = async () =>
  JSON.parse(await inProject("npx", "--no-install", "redis-addon", "list", "--json")) as unknown;

test("the tarball holds the program, its types, pages and licence, and nothing else of the checkout", async () => {
  const paths: string[] = [];
  await list({ file: tarball, onReadEntry: ({ path }) => paths.push(path.replace("package/", "")) });
  const sources = ["sdk/index", "provider/index", "provider/cli/main", "provider/agent/main"];
  expect(paths).toEqual(
    expect.arrayContaining([
      "package.json",
      "README.md",
      "LICENSE",
      ...sources.flatMap((source) => [`dist/${source}.js`, `dist/${source}.d.ts`]),
    ]),
  );
  const others = paths.filter(
    (path) => !/^(dist\/(sdk|provider)\/.*\.(js|d\.ts)|provider\/console\/assets\/[^/]+)$/.test(path),
  );
  expect(others.sort()).toEqual([
    ...["LICENSE", "README.md", "package.json"],
    ...["sdk/RIGHTS.md", "sdk/SETTINGS.md"],
  ]);
});

test.each([
  ["today's resolution", ["--module", "nodenext"]],
  [
    "the resolution of older projects",
    ["--module", "commonjs", "--moduleResolution", "node", "--ignoreDeprecations", "6.0"],
  ],
])("a TypeScript program is type-checked with %s", async (_, resolution) => {
  await writeFile(
    join(project, "check.ts"),
    `import { BackupPolicy, RedisAddon, RedisFollower, type RedisAddonArgs } from "pulumi-redis-addon";
const args: RedisAddonArgs = { plan: "s_mono", tier: "premium" };
const cache = new RedisAddon("cache", args);
new BackupPolicy("backups", { addon: cache, schedule: { every: "6h" }, retention: { days: 30 } });
new RedisFollower("following", { addon: "copy", leader: cache });
// @ts-expect-error: the types know the plans
new RedisAddon("huge", { plan: "huge" });
// @ts-expect-error: an output is no plain string
export const url: string = cache.redisUrl;
`,
  );
  const options = ["--noEmit", "--strict", "--skipLibCheck", "--target", "es2022", ...resolution];
  await inProject("npx", "--no-install", "tsc", ...options, "check.ts");
});

test("a TypeScript program makes an add-on that the command line lists, and removes it", async () => {
  await program(".", {
    "index.ts": `import { RedisAddon } from "pulumi-redis-addon";
const cache = new RedisAddon("cache", { plan: "s_mono" });
export const address = cache.port.apply((port): string => \`127.0.0.1:\${port}\`);
`,
  });
  expect(await listed()).toEqual([]);
  expect(await pulumi(".", "preview")).toMatch(/RedisAddon cache create/);
  await pulumi(".", "up", "--yes", "--skip-preview");
  expect(await listed()).toEqual([expect.objectContaining({ name: "shop-dev-cache", health: "healthy" })]);
  expect(await pulumi(".", "stack", "output", "address")).toMatch(/^127\.0\.0\.1:\d+$/m);
  await pulumi(".", "destroy", "--yes", "--skip-preview");
  expect(await listed()).toEqual([]);
});

test.each([
  ["CommonJS", "commonjs", `const { RedisAddon } = require("pulumi-redis-addon");`],
  ["ESM", "module", `import { RedisAddon } from "pulumi-redis-addon";`],
])("a JavaScript program in %s previews", async (_, type, imported) => {
  await program(type, {
    "package.json": JSON.stringify({ name: `shop-${type}`, private: true, type }),
    "index.js": `${imported}\nnew RedisAddon("cache", { plan: "s_mono" });\n`,
  });
  expect(await pulumi(type, "preview")).toMatch(/RedisAddon cache create/);
});

test("the provider loads without the Pulumi SDK, which would cost every run most of a second", async () => {
  const script = `
    const { redisAddon, redisFollower, backupPolicy } = require("pulumi-redis-addon/provider");
    const whole = [redisAddon, redisFollower, backupPolicy].every(({ create }) => typeof create === "function");
    console.log(JSON.stringify({ whole, files: Object.keys(require.cache) }));`;
  const { whole, files } = JSON.parse(await inProject(process.execPath, "--eval", script)) as {
    whole: boolean;
    files: string[];
  };
  expect(whole).toBe(true);
  const own = join("node_modules", "pulumi-redis-addon", "dist", "provider", "index.js");
  expect(files.some((file) => file.endsWith(own))).toBe(true);
  // Its protocol definitions may be loaded alone.
  const sdk = files.filter((file) => /@pulumi.pulumi.(?!proto)/.test(file));
  expect(sdk).toEqual([]);
});

test("nothing that is installed names a folder of the machine that packed it", async () => {
  const installed = join(project, "node_modules", "pulumi-redis-addon");
  const entries = await readdir(installed, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  expect(files.length).toBeGreaterThan(100);
  for (const { parentPath, name } of files) {
    const text = await readFile(join(parentPath, name), "utf8");
    for (const folder of [ROOT, dirname(tarball)]) expect(text.includes(folder), name).toBe(false);
  }
});
