import { symlink } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { backUp } from "../../provider/operations/backups";
import { makeExample, type Example } from "../support/example-program";
import { read, secretOutput, succeed, up, write } from "../support/stack-user";

/** The drill of `examples/restore`, as its README holds it. */
const SHOP = "redis-addon-restore-dev-shop";
const DRILL = "redis-addon-restore-dev-shop-drill";
const IOREDIS = join(import.meta.dirname, "../../node_modules/ioredis");

let example: Example;

beforeAll(async () => {
  example = await makeExample("restore");
  const { project } = example;
  await symlink(IOREDIS, join(project.folder, "node_modules/ioredis"));
  await project.pulumi("stack", "init", "dev");
  await up(project);
});
afterAll(() => example.project[Symbol.asyncDispose]());

const hold = (atLeast: number) =>
  example.project.pulumi(
    ...["up", "--yes", "--skip-preview", "--stack", "dev"],
    ...["--config", "drill=true", "--config", `drillAtLeastKeys=${atLeast}`],
  );
const clearUp = () => up(example.project, "--config", "drill=false");
const output = async (name: string) =>
  (await succeed(example.project, "stack", "output", name)).stdout.trim();

test("without a backup the drill fails, and says why", async () => {
  const { code, output: printed } = await hold(0);
  expect(code).not.toBe(0);
  expect(printed).toMatch(/there are none in .* Take one first: redis-addon backup run/);
});

test("the drill restores the newest backup beside the add-on, and a client counts what it holds", async () => {
  const { home } = example.project;
  const url = await secretOutput(example.project, "redisUrl");
  for (let i = 0; i < 3; i++) await write(url, `key ${i}`, "value");
  const { slot } = await backUp(home.platform, SHOP, home.task);
  await write(url, "since then", "x");

  const { code, output: printed } = await hold(3);
  expect(code, printed).toBe(0);
  expect(JSON.parse(await output("restored"))).toEqual({ backup: slot, keys: 3 });
  expect(await home.platform.load(DRILL)).toMatchObject({ restored: { backup: slot, keys: 3 } });
  expect(await read(url, "since then")).toBe("x");
});

test("it fails where the backup holds too little", async () => {
  const { code, output: printed } = await hold(4);
  expect(code).not.toBe(0);
  expect(printed).toContain("the restored backup holds 3 keys, and 4 are the least");
});

test("cleared up, it leaves nothing but the add-on, whose backups are as they were", async () => {
  await clearUp();
  const { home } = example.project;
  expect(await home.platform.names()).toEqual([SHOP]);
  await succeed(example.project, "preview", "--expect-no-changes");
});
