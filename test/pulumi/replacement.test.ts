import { existsSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { eventually, makeTestHome } from "../support/data-home";
import { killEngine } from "../support/kill-engine";
import { makePulumiProject, type PulumiProject } from "../support/pulumi-project";
import { connectUrl, read, secretOutput, succeed, up, write } from "../support/stack-user";

/** Each test starts from a running add-on that holds a key, and ends with nothing left of it. */
let project: PulumiProject;
let url: string;

const declare = (resource: string, args = "", options = "{}") => `
const { RedisAddon } = require("pulumi-redis-addon");
const cache = new RedisAddon("${resource}", { plan: "s_mono", ${args} }, ${options});
exports.url = cache.redisUrl;
`;
const urnOf = (resource: string) =>
  `urn:pulumi:dev::shop::pulumi-nodejs:dynamic/redis-addon:RedisAddon::${resource}`;

beforeAll(async () => {
  project = await makePulumiProject();
  await project.stack();
});
afterAll(() => project[Symbol.asyncDispose]());

beforeEach(async () => {
  // What the test before has left: also proves that it can be destroyed.
  await succeed(project, "destroy", "--yes", "--skip-preview");
  expect(await readdir(join(project.home.path, "addons")).catch(() => [])).toEqual([]);
});

async function begin(program: string): Promise<void> {
  await project.program(program);
  await up(project);
  url = await secretOutput(project, "url");
  await write(url, "kept", "yes");
}

test("data survive `up --replace`", async () => {
  await begin(declare("cache"));
  const { output } = await up(project, "--replace", urnOf("cache"));
  expect(output).toContain("nothing was deleted");
  expect(await secretOutput(project, "url")).toBe(url);
  expect(await read(url, "kept")).toBe("yes");
});

test("data survive `up --replace` that was killed half-way, and the next run goes on", async () => {
  await begin(declare("cache"));
  const before = (await project.home.platform.load("shop-dev-cache"))?.server.instance.token;
  const run = project.start("up", "--yes", "--skip-preview", "--replace", urnOf("cache"), "--stack", "dev");
  await eventually(
    "the replacement has adopted the add-on",
    async () => {
      const now = await project.home.platform.load("shop-dev-cache");
      return now !== undefined && now.server.instance.token !== before;
    },
    60_000,
  );
  await killEngine(project, run);
  await succeed(project, "cancel", "--yes");
  await up(project);
  expect(await read(url, "kept")).toBe("yes");
  // The state and the record agree again on whose add-on it is.
  expect((await up(project)).output).toMatch(/2 unchanged/);
});

test("data survive `pulumi state taint`", async () => {
  await begin(declare("cache"));
  await succeed(project, "state", "taint", urnOf("cache"), "--yes");
  await up(project);
  expect(await read(url, "kept")).toBe("yes");
});

test("data survive a rename with an alias", async () => {
  await begin(declare("cache"));
  await project.program(declare("sessions", "", `{ aliases: [{ name: "cache" }] }`));
  await up(project);
  expect(await secretOutput(project, "url")).toBe(url);
  expect(await read(url, "kept")).toBe("yes");
  await up(project, "--replace", urnOf("sessions"));
  expect(await project.home.platform.names()).toEqual(["shop-dev-cache"]);
  expect(await read(url, "kept")).toBe("yes");
});

test("data survive a rename without an alias where the name is given", async () => {
  await begin(declare("cache", `name: "store"`));
  await project.program(declare("sessions", `name: "store"`));
  await up(project);
  expect(await secretOutput(project, "url")).toBe(url);
  expect(await read(url, "kept")).toBe("yes");
});

test("a rename with neither makes a new add-on, after a final backup of the old one that it names", async () => {
  await begin(declare("cache"));
  await project.program(declare("sessions"));
  const { output } = await up(project);
  expect(await project.home.platform.names()).toEqual(["shop-dev-sessions"]);
  expect(await read(await secretOutput(project, "url"), "kept")).toBeNull();
  const backup = /shop-dev-cache is deleted; its final backup: file:\/\/(\S+)/.exec(output)?.[1];
  expect(existsSync(backup ?? ""), output).toBe(true);
});

test("data survive `stack rename`: an update records the new name, and a forced replacement finds them by it", async () => {
  await begin(declare("cache"));
  const server = await project.home.serverPid("shop-dev-cache");
  await succeed(project, "stack", "rename", "prod");
  const onProd = async (...args: string[]) => {
    const result = await project.pulumi(...args, "--stack", "prod");
    expect(result.code, result.output).toBe(0);
    return result.output;
  };
  expect(await onProd("up", "--yes", "--skip-preview")).toMatch(/1 updated/);
  expect(await onProd("preview", "--expect-no-changes")).toMatch(/2 unchanged/);
  expect(await project.home.serverPid("shop-dev-cache")).toBe(server);
  await onProd("up", "--yes", "--skip-preview", "--replace", urnOf("cache").replace(":dev:", ":prod:"));
  expect(await project.home.platform.names()).toEqual(["shop-dev-cache"]);
  expect(await read(url, "kept")).toBe("yes");
  await onProd("stack", "rename", "dev");
});

test("a run from another data home changes nothing and says which machine the add-on belongs to", async () => {
  await begin(declare("cache"));
  await using elsewhere = await makeTestHome();
  const { id, host } = (await project.home.platform.home()) ?? { id: "", host: "" };
  for (const command of [
    ["preview"],
    ["up", "--yes", "--skip-preview"],
    ["refresh", "--yes", "--skip-preview"],
    ["destroy", "--yes", "--skip-preview"],
  ]) {
    const { code, output } = await project.in(
      { REDIS_ADDON_HOME: elsewhere.path },
      ...command,
      "--stack",
      "dev",
    );
    expect(code, `${command[0]}: ${output}`).not.toBe(0);
    expect(output, command[0]).toContain(`it lives on host ${host}, data home ${id.slice(0, 8)}`);
  }
  expect(await read(url, "kept")).toBe("yes");
  await using client = await connectUrl(url);
  expect(await client.command("DBSIZE")).toBe(1);
});
