import { mkdir, rm } from "node:fs/promises";
import { createServer, type Socket } from "node:net";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { makePulumiProject, type PulumiProject } from "../support/pulumi-project";

let project: PulumiProject;
beforeAll(async () => {
  project = await makePulumiProject();
  await project.pulumi("stack", "init", "dev");
});
afterAll(() => project[Symbol.asyncDispose]());

test("a wait that lasts longer than customTimeouts ends with its cause, and no secret", async () => {
  await using leader = await silentServer();
  await project.program(`
    const { RedisAddon, RedisFollower } = require("pulumi-redis-addon");
    const copy = new RedisAddon("copy", { plan: "s_mono" });
    const leader = { host: "127.0.0.1", port: ${leader.port}, password: "hush-hush" };
    new RedisFollower("f", { addon: copy, leader }, { customTimeouts: { create: "3s" } });`);
  const { code, output } = await project.pulumi("up", "--stack", "dev", "--yes", "--skip-preview");
  expect(code).not.toBe(0);
  expect(output).toMatch(/error: cannot .*it took longer than 3 s; the last that was heard: /);
  expect(output).not.toContain("hush-hush");
});

test("a create that fails half-way is in the state with its reason, and the next update finishes it", async () => {
  await project.program(`
    const { RedisAddon } = require("pulumi-redis-addon");
    new RedisAddon("half", { plan: "s_mono" });
    new RedisAddon("copy", { plan: "s_mono" });`);
  // A folder where the server's users belong: the record can be made, its server can't be.
  const obstacle = join(project.home.path, "addons", "shop-dev-half", "users.acl", "in-the-way");
  await mkdir(obstacle, { recursive: true });
  const stack = await project.stack();
  const failed = await project.pulumi("up", "--stack", "dev", "--yes", "--skip-preview");
  expect(failed.code).not.toBe(0);
  expect(failed.output).toMatch(/error: .*\n?.*cannot .*shop-dev-half/);

  // A refresh clears the engine's own mark of the failure.
  await stack.refresh();
  await rm(dirname(obstacle), { recursive: true });
  expect((await stack.up()).summary.resourceChanges).toEqual({ update: 1, same: 2 });
  expect(await project.home.serverPid("shop-dev-half")).toBeGreaterThan(0);
});

test("get reads an add-on of another program, secrets included, and no destroy of its reader deletes it", async () => {
  await project.program(`
    const { RedisAddon } = require("pulumi-redis-addon");
    const got = RedisAddon.get("got", "shop-dev-copy");
    exports.address = require("@pulumi/pulumi").interpolate\`\${got.plan} \${got.port}\`;
    exports.url = got.redisUrl;`);
  const reader = await project.stack("reader");
  const { outputs } = await reader.up();
  const record = await project.home.platform.load("shop-dev-copy");
  expect(outputs["address"]?.value).toBe(`s_mono ${record?.server.wish.port}`);
  expect(outputs["url"]).toMatchObject({ secret: true, value: expect.stringContaining("redis://default:") });
  const { stdout } = await project.pulumi("stack", "export", "--stack", "reader");
  expect(stdout).not.toContain(record?.credentials.password);
  await reader.destroy();
  expect(await project.home.platform.load("shop-dev-copy")).toEqual(record);
});

/** Takes connections and never answers: a wait that lasts until it is ended. */
async function silentServer() {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("it has no port");
  return {
    port: address.port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
