import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runInThisContext } from "node:vm";
import { afterEach, beforeEach, expect, test } from "vitest";
import { providerText } from "../../../provider/resources/provider-text";
import { TYPE_TOKENS } from "../../../provider/resources/type-tokens";

// Recorded by every state there is: whoever has to change one of these changes something else instead.
const FROZEN = `exports.handler = function () {
  var id = "pulumi-redis-addon/provider";
  function fail(why) {
    var rest = why + "; run \`npm install pulumi-redis-addon\` in " + process.cwd() + " and try again";
    var error = new Error("pulumi-redis-addon can't be loaded: " + rest);
    error.toString = function () { return "pulumi-redis-addon can't be loaded"; };
    error.stack = rest;
    return error;
  }
  try {
    require.resolve(id);
  } catch (cause) {
    throw fail(String((cause && cause.message) || cause).split("\\n")[0]);
  }
  var handler = require(id).RESOURCE;
  if (!handler) throw fail("the installed version has no RESOURCE");
  return handler;
};
`;

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "provider-text-"));
});
afterEach(() => rm(folder, { recursive: true }));

test.each(["redisAddon", "redisFollower", "backupPolicy"] as const)(
  "the text of %s is as states record it",
  (name) => {
    expect(providerText(name)).toBe(FROZEN.replaceAll("RESOURCE", name));
  },
);

test("the type tokens are as states record them", () => {
  expect(TYPE_TOKENS).toEqual({
    redisAddon: "pulumi-nodejs:dynamic/redis-addon:RedisAddon",
    redisFollower: "pulumi-nodejs:dynamic/redis-addon:RedisFollower",
    backupPolicy: "pulumi-nodejs:dynamic/redis-addon:BackupPolicy",
  });
});

test("the text hands over the package's handler", async () => {
  await install("exports.redisAddon = { check: 'ours' };");
  expect(load()()).toEqual({ check: "ours" });
});

test("a missing package is told with the command that installs it, and without a stack trace", () => {
  const error = caught(load());
  expect(`${error}: ${error.stack}`).toMatch(
    /^pulumi-redis-addon can't be loaded: Cannot find module 'pulumi-redis-addon\/provider'; run `npm install pulumi-redis-addon` in /,
  );
  expect(error.message).toMatch(/^pulumi-redis-addon can't be loaded: .*`npm install pulumi-redis-addon`/);
  expect(error.stack).not.toMatch(/\n/);
});

test("a failure inside the package is not told as its absence", async () => {
  await install("require('a-dependency-that-is-missing');");
  expect(caught(load()).message).toMatch(/^Cannot find module 'a-dependency-that-is-missing'/);
});

test("a version that lacks the resource is told as such", async () => {
  await install("exports.somethingElse = {};");
  expect(caught(load()).message).toContain("the installed version has no redisAddon; run `npm install");
});

/** As Pulumi's dynamic provider does: module text whose require resolves from the program's folder. */
function load(): () => unknown {
  const module = { handler: (): unknown => undefined };
  const wrapper: unknown = runInThisContext(`(function (exports, require) {${providerText("redisAddon")}})`);
  if (typeof wrapper === "function") wrapper(module, createRequire(join(folder, "index.js")));
  return () => module.handler();
}

function caught(run: () => unknown): Error {
  try {
    run();
  } catch (error) {
    return error as Error;
  }
  throw new Error("it did not fail");
}

async function install(provider: string): Promise<void> {
  const root = join(folder, "node_modules", "pulumi-redis-addon");
  await mkdir(root, { recursive: true });
  await writeFile(join(root, "package.json"), JSON.stringify({ exports: { "./provider": "./provider.js" } }));
  await writeFile(join(root, "provider.js"), provider);
}
