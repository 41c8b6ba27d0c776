import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../support/data-home";
import { diffsIn, makeExample, withDiff, type Example } from "../support/example-program";
import { startRedisServer, type RedisServer } from "../support/redis-server";
import { connectUrl, read, secretOutput, succeed, up, write } from "../support/stack-user";
import { startUser } from "../support/user-under-load";

/** The migration that `examples/migrate` shows: its program, and the changes of it that its README prints. */
const PASSWORD = "of the old Redis";
const KEYS = 3_000;

let example: Example;
let old: RedisServer;
let oldUrl: string;
let text: string;
let diffs: string[];
let users: Awaited<ReturnType<typeof startUser>>;

beforeAll(async () => {
  old = await startRedisServer({ args: ["--requirepass", PASSWORD] });
  oldUrl = `redis://default:${encodeURIComponent(PASSWORD)}@127.0.0.1:${old.port}`;
  await fill(oldUrl);
  example = await makeExample("migrate");
  text = await example.read("index.ts");
  diffs = diffsIn(await example.read("README.md"));
  const { project } = example;
  await project.pulumi("stack", "init", "dev");
  await project.pulumi("config", "set", "oldPort", String(old.port), "--stack", "dev");
  await project.pulumi("config", "set", "--secret", "oldPassword", PASSWORD, "--stack", "dev");
  users = await startUser(oldUrl);
});
afterAll(async () => {
  await users[Symbol.asyncDispose]();
  await example.project[Symbol.asyncDispose]();
  await old[Symbol.asyncDispose]();
});

async function nextStep(): Promise<void> {
  const diff = diffs.shift();
  if (diff === undefined) throw new Error("the README shows no further change");
  text = withDiff(text, diff);
  await example.program(text);
}

const finalOffset = (output: string) => Number(/up to offset (\d+)/.exec(output)?.[1]);

test("step 1: the add-on follows the old Redis, whose users write on", async () => {
  const { output } = await up(example.project);
  expect(output).not.toContain(PASSWORD);
  const url = await secretOutput(example.project, "redisUrl");
  expect(await read(url, "text:0")).toBe("value 0");
  await expect(write(url, "mine", "x")).rejects.toMatchObject({ code: "read-only" });
  await succeed(example.project, "preview", "--expect-no-changes");
  // In sync means that what is written now arrives.
  const written = Number(await read(oldUrl, "under load"));
  await eventually("it arrives", async () => Number(await read(url, "under load")) > written);
});

test("step 2: the writers stop, the add-on is promoted with every write of theirs, and they go on there", async () => {
  const served = await users.stop();
  expect(served).toMatchObject({ errors: [], reconnections: 0 });
  expect(served.answers).toBeGreaterThan(100);
  const last = await offsetOf(oldUrl);

  await nextStep();
  const preview = await succeed(example.project, "preview");
  expect(preview.output).toContain("is not touched");
  const { output } = await up(example.project);
  expect(finalOffset(output)).toBeGreaterThanOrEqual(last);
  expect((await succeed(example.project, "stack", "output", "role")).stdout.trim()).toBe("leader");

  const url = await secretOutput(example.project, "redisUrl");
  expect(await read(url, "under load")).toBe(String(served.answers - 1));
  expect(await contents(url)).toEqual(await contents(oldUrl));
  users = await startUser(url);
});

test("step 3: the program forgets the old Redis, and the add-on goes on without a break", async () => {
  await nextStep();
  expect(diffs).toEqual([]);
  const server = await example.project.home.serverPid("redis-addon-migrate-dev-shop");
  const { output } = await up(example.project);
  expect(output).toMatch(/1 deleted/);
  await example.project.pulumi("config", "rm", "oldPassword", "--stack", "dev");
  await succeed(example.project, "preview", "--expect-no-changes");
  await old.stop();
  expect(await example.project.home.serverPid("redis-addon-migrate-dev-shop")).toBe(server);
  expect(await users.stop()).toMatchObject({ errors: [], reconnections: 0 });
  expect(await read(await secretOutput(example.project, "redisUrl"), "text:0")).toBe("value 0");
});

/** Keys of each kind, in two databases, some with an expiry. */
async function fill(url: string): Promise<void> {
  await using client = await connectUrl(url);
  for (let i = 0; i < KEYS; i += 3) {
    await client.command("SET", `text:${i}`, `value ${i}`, ...(i % 2 === 0 ? [] : ["EX", "100000"]));
    await client.command("HSET", `hash:${i}`, "field", i, "other", "x");
    await client.command("ZADD", `ranking:${i}`, i, "member");
  }
  await client.command("SELECT", 15);
  await client.command("RPUSH", "in the last database", 1, 2, 3);
}

/** Every key of both databases with its value and its expiry, as Redis spells them. */
async function contents(url: string): Promise<Map<string, unknown>> {
  await using client = await connectUrl(url);
  const found = new Map<string, unknown>();
  for (const database of [0, 15]) {
    await client.command("SELECT", database);
    for (const key of (await client.command("KEYS", "*")) as string[]) {
      const dump = await client.command("DUMP", key);
      found.set(`${database} ${key}`, [dump, await client.command("PEXPIRETIME", key)]);
    }
  }
  expect(found.size).toBe(KEYS + 2);
  return found;
}

async function offsetOf(url: string): Promise<number> {
  await using client = await connectUrl(url);
  const info = String(await client.command("INFO", "replication"));
  return Number(/^master_repl_offset:(\d+)/m.exec(info)?.[1]);
}
