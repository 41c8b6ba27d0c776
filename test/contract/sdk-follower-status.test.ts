import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { FollowerStatus } from "../../sdk";
import { makeTestHome, type TestHome } from "../support/data-home";
import { follows } from "../support/follow";
import { make } from "./agent-support";

const SDK = join(import.meta.dirname, "../../dist/sdk/index.js");

let home: TestHome;

beforeAll(async () => {
  home = await makeTestHome();
  await make(home, "lead");
  await make(home, "copy");
  await follows(home, { name: "copy", leader: "lead" });
});
afterAll(() => home[Symbol.asyncDispose]());

/** A script of somebody's own, outside of Pulumi; what it returns is printed. It must end by itself. */
async function script(body: string, env: Readonly<Record<string, string>> = {}): Promise<unknown> {
  const text = `const { followerStatus } = require(${JSON.stringify(SDK)});
(async () => { ${body} })().then((value) => console.log(JSON.stringify(value)));`;
  const { stdout } = await promisify(execFile)(process.execPath, ["-e", text], {
    env: { PATH: process.env["PATH"] ?? "", HOME: home.path, ...env },
    timeout: 30_000,
  });
  return JSON.parse(stdout) as unknown;
}

test("a script outside of Pulumi asks by name how an add-on follows", async () => {
  const platform = JSON.stringify({ kind: "local", dataHome: home.path });
  const status = (await script(`return followerStatus("copy", { platform: ${platform} })`)) as FollowerStatus;
  expect(status).toMatchObject({
    addon: "copy",
    role: "follower",
    leader: { addon: "lead", host: "127.0.0.1" },
    state: "synced",
    link: "up",
    lagBytes: expect.any(Number) as number,
    lagSeconds: expect.any(Number) as number,
    problems: [],
  });
  const records = await Promise.all(["lead", "copy"].map((name) => home.platform.load(name)));
  for (const record of records)
    for (const secret of Object.values(record?.credentials ?? {}))
      expect(JSON.stringify(status)).not.toContain(secret);
});

test("without a platform it asks the data home that the environment, or the stack's config, names", async () => {
  const body = `return (await followerStatus("lead")).role`;
  expect(await script(body, { REDIS_ADDON_HOME: home.path })).toBe("leader");
  const config = JSON.stringify({ "redis-addon:dataHome": home.path });
  expect(await script(body, { PULUMI_CONFIG: config })).toBe("leader");
});

test("an add-on that isn't there is told by a code, with what there is instead", async () => {
  const body = `return followerStatus("none").catch(({ code, message }) => ({ code, message }))`;
  expect(await script(body, { REDIS_ADDON_HOME: home.path })).toEqual({
    code: "no-such-addon",
    message: expect.stringContaining("there are only copy, lead") as string,
  });
});

test("who doesn't ask doesn't load what asks", async () => {
  const loaded = `Object.keys(require.cache).filter((file) => /provider.(operations|platforms|redis)|ioredis/.test(file)).length`;
  const body = `const before = ${loaded}; await followerStatus("copy"); return [before, ${loaded} > 0];`;
  expect(await script(body, { REDIS_ADDON_HOME: home.path })).toEqual([0, true]);
});
