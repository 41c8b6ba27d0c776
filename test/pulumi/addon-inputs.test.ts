import { delimiter, dirname, join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { readCatalog } from "../../provider/backup/catalog";
import { openStore } from "../../provider/stores/open";
import { makePulumiProject, type PulumiProject } from "../support/pulumi-project";
import { connectUrl, read, secretOutput, succeed, up, write } from "../support/stack-user";
import { serverOf } from "../support/matrix";
import { describeWith } from "../support/tools";
import { startUser } from "../support/user-under-load";

let project: PulumiProject;
beforeAll(async () => {
  project = await makePulumiProject();
  await project.program(program({ plan: "m_mono" }));
  await project.pulumi("stack", "init", "dev");
  await up(project);
});
afterAll(() => project[Symbol.asyncDispose]());

const NAME = "shop-dev-cache";
const OWN_PASSWORD = "Quite 'own' \"words\" #1/2@3:%";

function program(inputs: Readonly<Record<string, unknown>>): string {
  return `
    const { RedisAddon } = require("pulumi-redis-addon");
    const cache = new RedisAddon("cache", ${JSON.stringify(inputs)});
    exports.url = cache.redisUrl;
    exports.second = cache.urlFor(1);
    exports.environment = cache.environment;
    exports.version = cache.version;`;
}

/** What is stored of an add-on's backups, in the default place. */
async function readCatalogOf({ home }: PulumiProject, name: string) {
  const record = await home.platform.load(name);
  const store = await openStore(`file://${join(home.path, "backups")}`);
  return readCatalog(store, record?.catalogKey ?? "", home.task.signal);
}

const preview = (...args: string[]) => project.pulumi("preview", "--stack", "dev", "--diff", ...args);

test("the environment and a database's URL are outputs, and secret", async () => {
  const stack = await project.stack();
  const { environment, second, url } = await stack.outputs();
  expect([environment, second, url].map((output) => output?.secret)).toEqual([true, true, true]);
  expect(second?.value).toBe(`${String(url?.value)}/1`);
  expect(environment?.value).toEqual({
    REDIS_HOST: "127.0.0.1",
    REDIS_PORT: new URL(String(url?.value)).port,
    REDIS_PASSWORD: new URL(String(url?.value)).password,
    REDIS_URL: url?.value,
    REDIS_CLI_URL: expect.stringMatching(/^redis:\/\/[^:@]+@127\.0\.0\.1:\d+$/),
  });
  await using database = await connectUrl(String(second?.value));
  expect(String(await database.command("CLIENT", "INFO"))).toMatch(/user=default/);
});

test("everything that is live changes under a client's load without an error or a lost connection", async () => {
  const pid = await project.home.serverPid(NAME);
  await using user = await startUser(await secretOutput(project, "url"));
  await project.program(
    program({
      plan: { memory: "300mb", connections: 200, databases: 5 },
      access: "advanced",
      evictionPolicy: "allkeys-lru",
      persistence: "always",
      settings: { "notify-keyspace-events": "KEA", timeout: 3600 },
      labels: { team: "shop" },
    }),
  );
  const { output } = await preview();
  expect(output).not.toContain("restart");
  await up(project);
  const served = await user.stop();
  expect(served).toMatchObject({ errors: [], reconnections: 0 });
  expect(served.answers).toBeGreaterThan(100);
  expect(await project.home.serverPid(NAME)).toBe(pid);
  await using server = await connectUrl(await secretOutput(project, "url"));
  const memory = String(await server.command("INFO", "memory"));
  expect(memory).toContain(`maxmemory:${300 * 1024 ** 2}\r`);
  expect(memory).toContain("maxmemory_policy:allkeys-lru");
  await succeed(project, "preview", "--expect-no-changes");
  await succeed(project, "refresh", "--yes", "--skip-preview", "--expect-no-changes");
});

test("what is left out again returns to its default", async () => {
  await project.program(program({ plan: "m_mono", access: "advanced" }));
  await up(project);
  const record = await project.home.platform.load(NAME);
  expect(record?.server.wish).toMatchObject({ persistence: "everysec", settings: {}, labels: {} });
  await succeed(project, "preview", "--expect-no-changes");
});

test("a setting that is not on the list is refused in the preview with the reason, and nothing is touched", async () => {
  await project.program(program({ plan: "m_mono", access: "advanced", settings: { dir: "/tmp" } }));
  const { code, output } = await preview();
  expect(code).not.toBe(0);
  expect(output).toMatch(/`settings\.dir`: /);
  await succeed(project, "stack", "output", "version");
});

test("a version that isn't here is refused in the preview with the list of what is, by path and version", async () => {
  await project.program(program({ plan: "m_mono", access: "advanced", version: "7.9" }));
  const { code, output } = await preview();
  expect(code).not.toBe(0);
  expect(output).toMatch(
    /property version .*there is no server of version 7\.9; found are .*\d+\.\d+\.\d+ \(\/.*redis-server\)/,
  );
});

test("a plan that is too small is refused in the preview with the figures", async () => {
  const url = await secretOutput(project, "url");
  {
    await using server = await connectUrl(url);
    await server.command("SELECT", 3);
    await server.command("SET", "in database 3", "x");
  }
  await project.program(
    program({ plan: { memory: "16mb", connections: 250, databases: 2 }, access: "advanced" }),
  );
  const { code, output } = await preview();
  expect(code).not.toBe(0);
  expect(output).toMatch(/database 3 holds 1 keys, and the new plan has databases 0 to 1 only/);
});

test("fewer databases than that restart the server: announced with an estimate, reported in milliseconds", async () => {
  const url = await secretOutput(project, "url");
  await write(url, "kept", "yes");
  await project.program(
    program({ plan: { memory: "256mb", connections: 250, databases: 4 }, access: "advanced" }),
  );
  const announced = await preview();
  expect(announced.output).toMatch(
    /will restart and keep its data, which takes about \d+\.\d s: databases from 5 to 4/,
  );
  const { output } = await up(project);
  expect(output).toMatch(/the server restarted in \d+ ms and kept its data/);
  await using server = await connectUrl(url);
  expect(await server.command("GET", "kept")).toBe("yes");
});

const newer = serverOf("Redis 7.4");
describeWith([newer], "an upgrade", () => {
  test("is announced, takes a verified backup, keeps the data, and is no replacement", async () => {
    const url = await secretOutput(project, "url");
    await write(url, "before", "the upgrade");
    await project.program(
      program({
        plan: { memory: "256mb", connections: 250, databases: 4 },
        access: "advanced",
        version: "7.4",
      }),
    );
    const there = { PATH: [dirname(newer.path), process.env["PATH"] ?? ""].join(delimiter) };
    const announced = await project.in(there, "preview", "--stack", "dev", "--diff");
    expect(announced.output).toMatch(/will restart and keep its data.*: version from \S+ to 7\.4/);
    expect(announced.output).toContain("a verified backup is taken before it changes its version");
    const { code, output } = await project.in(there, "up", "--stack", "dev", "--yes", "--skip-preview");
    expect(code, output).toBe(0);
    expect(output).toMatch(/the server restarted in \d+ ms and kept its data/);
    expect(output).not.toMatch(/replac/);
    expect((await (await project.stack()).outputs())["version"]?.value).toMatch(/^7\.4\.\d+$/);
    expect(await read(url, "before")).toBe("the upgrade");
    const { backups } = await readCatalogOf(project, NAME);
    expect(backups.at(-1)).toMatchObject({ verification: "verified" });
  });
});

test("a password of one's own is taken while connections stay, and stands in no output in clear", async () => {
  const before = await secretOutput(project, "url");
  await using user = await startUser(before);
  await project.program(
    program({
      plan: { memory: "256mb", connections: 250, databases: 4 },
      access: "advanced",
      password: OWN_PASSWORD,
    }),
  );
  const announced = await preview();
  expect(announced.output).toContain("connections that are open stay open");
  const { output } = await up(project);
  expect(await user.stop()).toMatchObject({ errors: [], reconnections: 0 });
  const url = await secretOutput(project, "url");
  expect(url).not.toBe(before);
  const exported = await succeed(project, "stack", "export");
  for (const text of [announced.output, output, exported.output])
    for (const spelling of [OWN_PASSWORD, encodeURIComponent(OWN_PASSWORD), "Quite"])
      expect(text).not.toContain(spelling);
  await write(url, "with the new one", "yes");
});
