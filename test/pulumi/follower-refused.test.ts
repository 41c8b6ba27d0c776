import { afterAll, beforeAll, expect, test } from "vitest";
import { makePulumiProject, type PulumiProject } from "../support/pulumi-project";
import { startRedisServer, type RedisServer } from "../support/redis-server";
import { connectUrl, read, secretOutput, succeed, up } from "../support/stack-user";

/** What a preview of a follower refuses, on an add-on that holds data, and how they are replaced where that is wanted. */
const PASSWORD = "hush-hush";
const KEYS = 7;

let project: PulumiProject;
/** With as many databases as the add-on has. */
let leader: RedisServer;
/** With Redis's own number of them. */
let larger: RedisServer;

beforeAll(async () => {
  project = await makePulumiProject();
  leader = await startRedisServer({ args: ["--databases", "1", "--requirepass", PASSWORD] });
  larger = await startRedisServer({ args: ["--requirepass", PASSWORD] });
  await leader.connect({ password: PASSWORD }).set("the leader's", "x");
  await project.pulumi("stack", "init", "dev");
  await project.program(program());
  await up(project);
  await using copy = await connectUrl(await secretOutput(project, "copy"));
  for (let i = 0; i < KEYS; i++) await copy.command("SET", `own:${i}`, "x");
});
afterAll(async () => {
  await project[Symbol.asyncDispose]();
  await leader[Symbol.asyncDispose]();
  await larger[Symbol.asyncDispose]();
});

const program = (following?: string) => `
  const { RedisAddon, RedisFollower } = require("pulumi-redis-addon");
  const [lead, copy] = ["lead", "copy"].map((name) => new RedisAddon(name, { plan: "s_mono" }));
  exports.copy = copy.redisUrl;
  ${following === undefined ? "" : `new RedisFollower("following", { addon: copy, ${following} });`}`;

const address = (port: number, password = PASSWORD) =>
  `{ host: "127.0.0.1", port: ${port}, password: ${JSON.stringify(password)} }`;

const refusals: [string, () => Promise<string> | string, RegExp][] = [
  ["a wrong password", () => `leader: ${address(leader.port, "another one")}`, /password/],
  ["a leader with more databases", () => `leader: ${address(larger.port)}`, /16 databases/],
  ["itself as the leader", () => `leader: copy`, /shop-dev-copy can't follow itself/],
  [
    "promote and switchedOver",
    () => `leader: lead, promote: true, switchedOver: true`,
    /switchedOver.*promote/s,
  ],
  [
    "switchedOver with a leader that is no add-on",
    () => `leader: ${address(leader.port)}, switchedOver: true`,
    /switchedOver/,
  ],
  ["an add-on that holds data", () => `leader: lead`, new RegExp(`${KEYS} keys.*replaceData`, "s")],
  [
    "an add-on that holds data, and a leader elsewhere",
    () => `leader: ${address(leader.port)}`,
    new RegExp(`${KEYS} keys.*replaceData`, "s"),
  ],
];

test.each(refusals)(
  "%s is refused in the preview, by name, and nothing is touched",
  async (_, following, words) => {
    await project.program(program(await following()));
    const { code, output } = await project.pulumi("preview", "--stack", "dev", "--diff");
    expect(output).toMatch(words);
    expect(output).not.toMatch(/hush-hush|another one|\n +at .*:\d+:\d+/);
    expect(code).not.toBe(0);
    expect(await project.home.platform.load("shop-dev-copy")).not.toHaveProperty("replication");
    expect(await read(await secretOutput(project, "copy"), "own:0")).toBe("x");
  },
);

test("an update without a preview refuses as well, and touches nothing", async () => {
  await project.program(program(`leader: ${address(leader.port)}`));
  const { code, output } = await project.pulumi("up", "--yes", "--skip-preview", "--stack", "dev");
  expect(code).not.toBe(0);
  expect(output).toMatch(/replaceData/);
  expect(await read(await secretOutput(project, "copy"), "own:0")).toBe("x");
});

test("with replaceData the preview says how many keys would go, and the update in which backup they are", async () => {
  await project.program(program(`leader: ${address(leader.port)}, replaceData: true`));
  const preview = await succeed(project, "preview");
  expect(preview.output).toContain(`${KEYS} keys`);
  const { output } = await up(project);
  const slot = /in the backup (\d{8}T\d{9}Z)/.exec(output)?.[1];
  expect(slot, output).toBeDefined();
  const copy = await secretOutput(project, "copy");
  expect(await read(copy, "own:0")).toBeNull();
  expect(await read(copy, "the leader's")).toBe("x");
  await succeed(project, "preview", "--expect-no-changes");
});
