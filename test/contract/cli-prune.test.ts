import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeTestHome } from "../support/data-home";
import { startRedisServer, type RedisServer } from "../support/redis-server";
import { make } from "./agent-support";
import { names, temporaryStore } from "./backup-support";
import { AT_ONCE, makeCli, type Cli } from "./cli-support";

const NAME = "shop";

let cli: Cli;
let leader: RedisServer;
let store: Awaited<ReturnType<typeof temporaryStore>>;
/** Three backups, oldest first. */
let slots: string[];

beforeAll(async () => {
  [cli, leader, store] = await Promise.all([
    makeCli(),
    startRedisServer({ args: AT_ONCE }),
    temporaryStore(),
  ]);
  await leader.client.set("key", "value");
  slots = [];
  for (let i = 0; i < 3; i++) slots.push(await take());
});
afterAll(async () => {
  await store[Symbol.asyncDispose]();
  await leader[Symbol.asyncDispose]();
  await cli[Symbol.asyncDispose]();
});

async function take(): Promise<string> {
  const from = `redis://127.0.0.1:${leader.port}`;
  const args = ["backup", "run", "--from", from, "--to", store.url, "--name", NAME, "--no-verify", "--json"];
  const { stdout, stderr, code } = await cli.run(args);
  expect(code, stderr).toBe(0);
  return (JSON.parse(stdout) as { slot: string }).slot;
}

const prune = (...args: string[]) => cli.run(["backup", "prune", NAME, "--store", store.url, ...args]);

async function listed(): Promise<string[]> {
  const { stdout } = await cli.run(["backup", "list", NAME, "--store", store.url, "--json"]);
  return (JSON.parse(stdout) as { slot: string }[]).map(({ slot }) => slot);
}

describe("redis-addon backup prune, of a store", () => {
  it("needs rules there, as numbers, and a catalog that is there", async () => {
    expect(await prune()).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("--keep-last") as string,
    });
    expect(await prune("--keep-last", "some")).toMatchObject({ code: 2 });
    expect(await prune("--minimum", "2")).toMatchObject({ code: 2 });
    const args = ["backup", "prune", "shpo", "--keep-last", "1", "--dry-run", "--store", store.url];
    expect(await cli.run(args)).toMatchObject({ code: 3 });
  });

  it("says with --dry-run what would go and what stays, each with why, and touches nothing", async () => {
    const before = await names(store.store);
    const told = await prune("--keep-last", "1", "--dry-run");
    expect(told.code).toBe(0);
    expect(told.stdout).toMatch(
      new RegExp(`^Would remove 2 of 3 backups of shop, \\S+ KiB, the oldest ${slots[0]}\\.$`, "m"),
    );
    expect(
      told.stdout
        .split("\n")
        .slice(0, 3)
        .map((row) => row.split(/\s+/).slice(0, 2)),
    ).toEqual([
      ["SLOT", "FATE"],
      [slots[0], "goes"],
      [slots[1], "goes"],
    ]);
    const list = await prune("--keep-last", "1", "--dry-run", "--list");
    const rows = list.stdout.split("\n").slice(1, 4);
    expect(rows.map((row) => row.split(/\s+/).slice(0, 2))).toEqual([
      [slots[0], "goes"],
      [slots[1], "goes"],
      [slots[2], "stays"],
    ]);
    expect(rows[0]).toContain("not among the last 1");
    const json = await prune("--keep-last", "1", "--dry-run", "--json");
    expect(JSON.parse(json.stdout)).toMatchObject({
      removals: [
        { slot: slots[0], sizeBytes: expect.any(Number) as number, reasons: [expect.any(String)] },
        {},
      ],
      kept: [{ slot: slots[2] }],
    });
    expect((await prune("--days", "7", "--dry-run")).stdout).toMatch(
      /^Would remove none of the backups of shop \(3 in all\)\.$/m,
    );
    expect(await names(store.store)).toEqual(before);
  });

  it("removes nothing until somebody agrees", async () => {
    const refused = await prune("--keep-last", "1");
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toContain("2 of 3 backups of shop");
    expect(refused.stderr).toContain("add --yes");
    const asked = cli.startInTerminal(["backup", "prune", NAME, "--keep-last", "1", "--store", store.url]);
    await asked.printed("Go on? [y/N]");
    asked.child.stdin?.write("n\n");
    expect(await asked.result).toMatchObject({ code: 1 });
    expect(await listed()).toEqual(slots);
  });

  it("removes what the rules no longer keep, and nothing that is pinned", async () => {
    await cli.run(["backup", "pin", NAME, slots[0] ?? "", "--store", store.url]);
    const asked = cli.startInTerminal(["backup", "prune", NAME, "--keep-last", "1", "--store", store.url]);
    await asked.printed("Go on? [y/N]");
    asked.child.stdin?.write("y\n");
    expect(await asked.result).toMatchObject({ code: 0 });
    expect(asked.output()).toMatch(/Removed 1 of 3 backups of shop, \S+ KiB, the oldest /);
    expect(await listed()).toEqual([slots[0], slots[2]]);

    await cli.run(["backup", "unpin", NAME, slots[0] ?? "", "--store", store.url]);
    const removed = await prune("--keep-last", "1", "--yes", "--json");
    expect(JSON.parse(removed.stdout)).toMatchObject({ removed: [slots[0]], kept: [{ slot: slots[2] }] });
    const nothing = await prune("--keep-last", "1");
    expect(nothing).toMatchObject({ code: 0, stdout: "Removed none of the backups of shop (1 in all).\n" });
    expect(await listed()).toEqual([slots[2]]);
  });
});

describe("redis-addon backup prune, of an add-on", () => {
  const ENTRY = join(import.meta.dirname, "../../dist/provider/cli/main.js");

  it("goes by its policy, or once by rules that are given; `list --why` tells what keeps each", async () => {
    await using home = await makeTestHome();
    await make(home, "cache");
    const backup = async (...args: string[]) => {
      const env = { ...process.env, REDIS_ADDON_HOME: home.path };
      return (await promisify(execFile)(process.execPath, [ENTRY, "backup", ...args], { env })).stdout;
    };
    const [first, second] = [
      await backup("run", "cache", "--json"),
      await backup("run", "cache", "--json"),
    ].map((printed) => (JSON.parse(printed) as { slot: string }).slot);
    expect(await backup("prune", "cache", "--dry-run")).toBe(
      "Would remove none of the backups of cache (2 in all).\n",
    );
    const why = await backup("list", "cache", "--why");
    expect(why).toMatch(new RegExp(`^${first} .* at most 7 days old +file:`, "m"));
    expect(JSON.parse(await backup("list", "cache", "--why", "--json"))).toMatchObject([
      { slot: first, stays: true, reasons: ["at most 7 days old"] },
      { slot: second, stays: true },
    ]);
    await expect(backup("list", "cache", "--why", "--store", "file:///tmp")).rejects.toMatchObject({
      code: 2,
    });

    const told = await backup("prune", "cache", "--keep-last", "1", "--dry-run", "--list");
    expect(told).toMatch(new RegExp(`^${first} +goes +\\S+ \\S+ +not among the last 1$`, "m"));
    expect(told).toMatch(new RegExp(`^${second} +stays +- +among the last 1, .*the newest verified$`, "m"));
    await backup("prune", "cache", "--keep-last", "1", "--yes");
    expect(JSON.parse(await backup("list", "cache", "--json"))).toMatchObject([{ slot: second }]);
  });
});
