import { existsSync } from "node:fs";
import { appendFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AddonRecord } from "../../provider/core/facets";
import { remove } from "../../provider/operations/remove";
import { startAgent, stopAgent } from "../../provider/operations/agent";
import { restart } from "../../provider/operations/restart";
import type { LogLine } from "../../provider/platforms/contract";
import { makeTestHome, type TestHome } from "../support/data-home";
import { until } from "../support/redis-server";
import { agentLog, make } from "./agent-support";
import { makeCli, type Cli } from "./cli-support";

let cli: Cli;
let home: TestHome;
let cache: AddonRecord;

beforeAll(async () => {
  // A time zone of the machine's must not shift the times of a server, nor one of whoever reads them.
  process.env["TZ"] = "Asia/Kolkata";
  [cli, home] = await Promise.all([makeCli(), makeTestHome()]);
  cache = (await make(home, "cache")).record;
  await make(home, "cache-2");
});
afterAll(async () => {
  delete process.env["TZ"];
  await home[Symbol.asyncDispose]();
  await cli[Symbol.asyncDispose]();
});

function logs(...args: string[]) {
  return cli.run(["logs", ...args], { env: { REDIS_ADDON_HOME: home.path, TZ: "America/New_York" } });
}

function serverLog(name: string): string {
  return join(home.path, "addons", name, "server.log");
}

describe("redis-addon logs", () => {
  it("shows what server and agent wrote, in the order of their times, and nothing about other add-ons", async () => {
    await restart(home.platform, "cache", home.task);
    const { code, stdout } = await logs("cache");
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines).toContainEqual(expect.stringMatching(/^\S+Z {2}server .*Ready to accept connections/));
    expect(lines).toContainEqual(
      expect.stringMatching(/^\S+Z {2}agent {4}its server is restarted, as a person asked for$/),
    );
    expect(stdout).not.toContain("cache-2");
    const json = JSON.parse((await logs("cache", "--json")).stdout) as LogLine[];
    expect(json).toHaveLength(lines.length);
    const asked = json.findIndex(({ text }) => text.startsWith("its server is restarted"));
    const left = json.findIndex(({ text }) => text.includes("ready to exit"));
    const runs = json.findLastIndex(({ text }) => /^server \d+ runs Redis/.test(text));
    expect([asked, left, runs].every((i) => i >= 0) && asked < left && left < runs).toBe(true);
    // Of one machine's clock, whatever the zones.
    for (const { at } of json)
      if (at !== undefined) expect(Math.abs(Date.parse(at) - Date.now())).toBeLessThan(10 * 60_000);
  });

  it("shows the newest lines, of one source where it is named", async () => {
    const all = JSON.parse((await logs("cache", "--json")).stdout) as LogLine[];
    const some = JSON.parse((await logs("cache", "--json", "--lines", "3")).stdout) as LogLine[];
    expect(some).toEqual(all.slice(-3));
    const agent = JSON.parse((await logs("cache", "--json", "--source", "agent")).stdout) as LogLine[];
    expect(agent).toEqual(all.filter(({ source }) => source === "agent"));
    expect((await logs("cache", "--source", "redis")).code).toBe(2);
    expect((await logs("cache", "--lines", "many")).code).toBe(2);
  });

  it("shows no password that a server wrote, and lets no control character to the terminal", async () => {
    const { password } = cache.credentials;
    await appendFile(serverLog("cache"), `>>> 'masterauth "${password}"'\nargv[1] = 'x'\u001B[2J\n`);
    const { stdout } = await logs("cache");
    expect(stdout).toContain(">>> 'masterauth [secret]");
    expect(stdout).not.toContain(password);
    expect(stdout).not.toContain("\u001B");
  });

  it("follows what is written until Ctrl-C", async () => {
    const env = { REDIS_ADDON_HOME: home.path };
    const following = cli.start(["logs", "cache", "--follow", "--lines", "1"], { env });
    await following.printed("\n");
    await appendFile(serverLog("cache"), "1:M 23 Nov 2026 10:00:00.000 # look at this\n");
    await following.printed("! look at this");
    await restart(home.platform, "cache", home.task);
    await following.printed("ready to exit");
    following.child.kill("SIGINT");
    expect(await following.result).toMatchObject({ code: 130, stderr: "" });
  });

  it("ends with the add-on that it follows", async () => {
    await make(home, "short", { deletion: { finalBackup: false } });
    const env = { REDIS_ADDON_HOME: home.path };
    const following = cli.start(["logs", "short", "--follow", "--json"], { env });
    await following.printed("Ready to accept");
    await remove(home.platform, { name: "short" }, home.task);
    const { code, stdout } = await following.result;
    expect(code).toBe(0);
    for (const line of stdout.trimEnd().split("\n")) expect(JSON.parse(line)).toHaveProperty("source");
  });

  it("says where there is no such add-on what there is", async () => {
    expect(await logs("nothing")).toMatchObject({ code: 3, stdout: "" });
    expect((await logs("nothing", "--follow")).code).toBe(3);
  });
});

describe("the agent", () => {
  it("cuts its own log and a server's where they grew too long, and what they held is still shown", async () => {
    const filler = `${"x".repeat(1023)}\n`.repeat(11 * 1024);
    await writeFile(serverLog("cache-2"), `1:M 23 Nov 2026 10:00:00.000 # the first\n${filler}`);
    await appendFile(join(home.path, "agent.log"), filler);
    // It looks when it starts, and then each minute.
    await stopAgent(home.path, true, home.task);
    await startAgent(home.path, home.task);
    await until("both logs to be cut", () =>
      [serverLog("cache-2"), join(home.path, "agent.log")].every((path) => existsSync(`${path}.1`)),
    );
    await restart(home.platform, "cache-2", home.task);
    const read = JSON.parse((await logs("cache-2", "--json", "--lines", "10000")).stdout) as LogLine[];
    expect(read.at(0)?.text).toBe("x".repeat(1023));
    expect(read.at(-1)?.text).toMatch(/^server \d+ runs Redis/);
    const log = await agentLog(home);
    expect(log).toContain(" cache-2: its server is restarted");
    expect(log).not.toContain("xxx");
  });
});
