import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import * as pulumi from "@pulumi/pulumi";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { BackupPolicy, backupPolicies, RedisAddon } from "../../../sdk";

const POLICY = "pulumi-nodejs:dynamic/redis-addon:BackupPolicy";
/** What the engine would be handed, by resource. */
const registered = new Map<string, pulumi.Inputs>();
let folder: string;

beforeAll(async () => {
  // The classes look for the provider from the program's folder.
  folder = await mkdtemp(join(tmpdir(), "sdk-"));
  const module = join(folder, "node_modules", "pulumi-redis-addon");
  await mkdir(module, { recursive: true });
  await writeFile(join(module, "provider.js"), "");
  vi.spyOn(process, "cwd").mockReturnValue(folder);
  await pulumi.runtime.setMocks({
    newResource: ({ name, type, inputs }) => {
      registered.set(`${type}::${name}`, inputs as pulumi.Inputs);
      return { id: `shop-dev-${name}`, state: { ...inputs, tier: "premium" } };
    },
    call: () => ({}),
  });
});
afterAll(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});
beforeEach(() => {
  registered.clear();
});

const addon = (name: string) => new RedisAddon(name, { plan: "s_mono", tier: "premium" });

/** Once the mocks have heard of it. */
async function inputsOf(policy: BackupPolicy): Promise<pulumi.Inputs> {
  const urn = await new Promise<string>((resolve) => {
    policy.urn.apply(resolve);
  });
  return registered.get(`${POLICY}::${urn.split("::").at(-1)}`) ?? {};
}

test.each([
  ["the RedisAddon itself", (cache: RedisAddon) => cache],
  ["its id", (cache: RedisAddon) => cache.id],
  ["its name", (cache: RedisAddon) => cache.name],
])("a second policy of one add-on, given as %s, fails where it is written and names both", (_, second) => {
  const cache = addon("cache");
  new BackupPolicy("nightly", { addon: cache });
  expect(() => new BackupPolicy("hourly", { addon: second(cache) })).toThrow(
    /^BackupPolicy hourly: its add-on has a policy already, BackupPolicy nightly.*put what both want into one/,
  );
});

test("another run of the same program in this process declares the same policies again", () => {
  const program = () => new BackupPolicy("nightly", { addon: addon("cache") });
  program();
  expect(program).not.toThrow();
});

test("a policy that could not be declared leaves room for the one that can", () => {
  const cache = addon("cache");
  expect(() => new BackupPolicy("wrong", { addon: cache }, { import: "cache" })).toThrow(/import/);
  expect(() => new BackupPolicy("right", { addon: cache })).not.toThrow();
});

test("an id that was made of others is whoever's: nothing is concluded from it", async () => {
  const [cache, queue] = [addon("cache"), addon("queue")];
  new BackupPolicy("first", { addon: cache });
  const other = pulumi.all([cache.id, queue.id]).apply(([, id]) => id);
  const policy = new BackupPolicy("second", { addon: other });
  expect(await inputsOf(policy)).not.toHaveProperty("__tier");
});

test("the add-on's id tells as much of it as the add-on: its tier and where it runs", async () => {
  const platform = { kind: "local", dataHome: "/elsewhere" } as const;
  const cache = new RedisAddon("cache", { plan: "s_mono", tier: "premium", platform });
  const inputs = await inputsOf(new BackupPolicy("nightly", { addon: cache.id }));
  expect(inputs).toMatchObject({ addon: "shop-dev-cache", __tier: "premium", platform });
});

test("a webhook is a secret whether the program says so or not", async () => {
  for (const [name, alerts] of Object.entries({
    plain: { webhook: "https://hooks/hush-hush" },
    later: pulumi.output({ webhook: "https://hooks/hush-hush" }) as unknown as { webhook: string },
  })) {
    const policy = new BackupPolicy(name, { addon: "cache", alerts });
    expect(await pulumi.isSecret(policy.alerts), name).toBe(true);
  }
});

test("one policy is made for each of many add-ons, named after their keys", async () => {
  const policies = backupPolicies(
    { cache: addon("cache"), queue: "shop-dev-queue" },
    { schedule: { every: "6h" }, retention: { days: 30, weekly: 4 }, destination: "file:///backups" },
  );
  expect(Object.keys(policies)).toEqual(["cache", "queue"]);
  for (const [key, policy] of Object.entries(policies)) {
    expect(policy).toBeInstanceOf(BackupPolicy);
    expect(await inputsOf(policy)).toMatchObject({
      addon: `shop-dev-${key}`,
      schedule: { every: "6h" },
      retention: { days: 30, weekly: 4 },
      destination: "file:///backups",
    });
  }
  expect([...registered.keys()].filter((key) => key.startsWith(POLICY)).sort()).toEqual([
    `${POLICY}::cache-backups`,
    `${POLICY}::queue-backups`,
  ]);
});

test("one add-on under two keys is refused, and so is a list, whose members have no names", () => {
  const cache = addon("cache");
  expect(() => backupPolicies({ cache, again: cache })).toThrow(
    /BackupPolicy again-backups.*BackupPolicy cache-backups/,
  );
  expect(() => backupPolicies([cache] as unknown as { cache: RedisAddon })).toThrow(
    /by name, \{ cache, queue \}/,
  );
});
