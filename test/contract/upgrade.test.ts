import { chmod, mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { AddonRecord } from "../../provider/core/facets";
import type { Task } from "../../provider/core/task";
import { startAgent } from "../../provider/operations/agent";
import { inspect } from "../../provider/operations/inspect";
import { creates, eventually, makeTestHome, type TestHome } from "../support/data-home";
import { describeWith } from "../support/tools";
import { change, make, onPath, run, spellingOf, supported } from "./agent-support";

/** A server that tells a version and ends when it is to serve. */
const BROKEN = "7.9.9";
/** The everyday one, which comes first. */
const OLDEST = spellingOf(supported[0] ?? { name: "", path: "" });

let folder: string;
let path: Disposable;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "raf-"));
  const script = `#!/bin/sh\n[ "$1" = --version ] && echo "Redis server v=${BROKEN} sha=0" && exit\necho "no, thanks"\nexit 3\n`;
  await writeFile(join(folder, "redis-server"), script);
  await chmod(join(folder, "redis-server"), 0o755);
  path = onPath(folder);
});
afterAll(async () => {
  path[Symbol.dispose]();
  await rm(folder, { recursive: true });
});

/** With a key that every server it runs on must have. */
async function makeOld(home: TestHome): Promise<AddonRecord> {
  const { record } = await make(home, "cache", { version: OLDEST });
  await run(record, "SET", "kept", "yes");
  return record;
}

async function backups(home: TestHome): Promise<string[]> {
  const files = await readdir(join(home.path, "backups"), { recursive: true }).catch(() => []);
  return files.filter((file) => /\/\w+\.verified\.json$/.test(file));
}

async function newestManifest(home: TestHome): Promise<unknown> {
  const newest = (await backups(home)).toSorted().at(-1) ?? "";
  return JSON.parse(await readFile(join(home.path, "backups", newest.replace(".verified", "")), "utf8"));
}

async function expectRuns(home: TestHome, record: AddonRecord, version: string): Promise<void> {
  expect(await run(record, "GET", "kept")).toBe("yes");
  const status = await eventually("it runs", async () => {
    const seen = await inspect(home.platform, "cache", home.task);
    return seen?.server.state === "running" && seen;
  });
  expect(status).toMatchObject({ wish: { version }, server: { version } });
}

describeWith(supported, "an upgrade", () => {
  it("an add-on goes from version to version in place, each time after a verified backup", async () => {
    await using home = await makeTestHome();
    const record = await makeOld(home);
    // Neither of Redis 7.4 and Valkey loads the other's data.
    for (const server of supported.slice(1).filter(({ name }) => !/7\.4/.test(name))) {
      const before = (await backups(home)).length;
      const version = spellingOf(server);
      const { record: changed, restartedMs } = await change(home, "cache", { version });
      expect(changed.server.wish).toMatchObject({ version, port: record.server.wish.port });
      expect(restartedMs).toBeGreaterThan(0);
      expect(home.messages.join("\n")).toMatch(/backup \d{8}T\d{9}Z taken before the upgrade/);
      expect(await backups(home)).toHaveLength(before + 1);
      expect(await newestManifest(home)).toMatchObject({ reason: "demand", purpose: "upgrade" });
      await expectRuns(home, record, version);
    }
    // The same version again, spelt shorter, is no upgrade.
    const { restartedMs } = await change(home, "cache", { version: "valkey-9" });
    expect(restartedMs).toBeUndefined();
    const refused = change(home, "cache", { version: OLDEST });
    await expect(refused).rejects.toMatchObject({ code: "change-refused" });
    await expectRuns(home, record, "valkey-9.1.2");
  }, 120_000);

  it("a version that isn't there is refused with what is, by version and path", async () => {
    await using home = await makeTestHome();
    const record = await makeOld(home);
    const known = supported.map(({ path: found }) => found).filter((found) => found.includes("7.2.4"));
    await expect(change(home, "cache", { version: "7.1" })).rejects.toMatchObject({
      code: "no-server",
      subject: "7.1",
      cause: expect.stringContaining(`7.2.4 (${known[0]})`),
    });
    await expectRuns(home, record, OLDEST);
  });

  it("a backup that can't be taken leaves everything as it was", async () => {
    await using home = await makeTestHome();
    const record = await makeOld(home);
    const server = await home.serverPid("cache");
    const destination = `file://${home.path}/agent.log/not-a-folder`;
    const wish = { schedule: { daily: "03:00" }, retention: { days: 7 }, destination };
    const backup = { facet: "backups", name: "cache", claim: creates("b1"), given: [], wish } as const;
    await home.platform.apply(backup, home.task);
    await expect(change(home, "cache", { version: "7.2.4" })).rejects.toThrow("not-a-folder");
    expect(await home.serverPid("cache")).toBe(server);
    await expectRuns(home, record, OLDEST);
  });

  it("a server that does not start is replaced by the old one, with its data; the error names the backup", async () => {
    await using home = await makeTestHome();
    const record = await makeOld(home);
    for (const persistence of ["everysec", "none"] as const) {
      await change(home, "cache", { version: OLDEST, persistence });
      const attempt = change(home, "cache", { version: BROKEN, persistence, plan: "m_mono" });
      await expect(attempt).rejects.toMatchObject({
        code: "change-undone",
        cause: expect.stringContaining("no, thanks"),
        hint: expect.stringMatching(
          /The change was undone: it runs version \S+ as before, with its data; the backup \d{8}T\d{9}Z was taken/,
        ),
      });
      await expectRuns(home, record, OLDEST);
      expect((await home.platform.load("cache"))?.server.wish.plan).toBe("s_mono");
    }
  });

  it("a setting that the server refuses is taken back, whether it is for a running one or for a start", async () => {
    await using home = await makeTestHome();
    const record = await makeOld(home);
    const server = await home.serverPid("cache");
    const live = change(home, "cache", { version: OLDEST, settings: { "slowlog-max-len": "few" } });
    await expect(live).rejects.toMatchObject({ code: "change-undone", cause: expect.stringMatching(/few/) });
    expect(await home.serverPid("cache")).toBe(server);
    const restarts = change(home, "cache", { version: OLDEST, settings: { "tcp-backlog": "few" } });
    await expect(restarts).rejects.toMatchObject({
      code: "change-undone",
      cause: expect.stringMatching(/tcp-backlog/),
    });
    await expectRuns(home, record, OLDEST);
    expect((await home.platform.load("cache"))?.server.wish.settings).toEqual({});
  });

  it("where the old server can't load the data any more either, the error says both, and names the backup", async () => {
    await using home = await makeTestHome();
    const record = await makeOld(home);
    const aof = join(home.path, "addons/cache/data/appendonlydir");
    const base = (await readdir(aof)).find((file) => file.endsWith(".base.rdb")) ?? "";
    await writeFile(join(aof, base), "REDIS9999");
    await expect(change(home, "cache", { version: "7.2.4" })).rejects.toMatchObject({
      code: "change-undone",
      cause: expect.stringContaining("Can't handle RDB format version 9999"),
      hint: expect.stringMatching(
        /does not run as before either: .*9999.*; the backup \d{8}T\d{9}Z was taken/,
      ),
    });
    expect((await home.platform.load("cache"))?.server.wish.version).toBe(record.server.wish.version);
    expect(await backups(home)).toHaveLength(1);
  });

  it("an upgrade is whole or not at all when the agent is killed at any step, caller or no caller", async () => {
    await using home = await makeTestHome();
    const record = await makeOld(home);
    const killedAt = async (step: RegExp, callerToo: boolean): Promise<void> => {
      const agent = await home.agentPid();
      const caller = new AbortController();
      let killed = false;
      const progress: Task["progress"] = ({ message }) => {
        if (killed || !step.test(message)) return;
        killed = true;
        process.kill(agent, "SIGKILL");
        if (callerToo) caller.abort(new Error("the caller went away"));
      };
      const task = { ...home.task, signal: caller.signal, progress };
      await expect(change(home, "cache", { version: BROKEN }, task)).rejects.toThrow();
      expect(killed, String(step)).toBe(true);
      await startAgent(home.path, home.task);
      await eventually("the record is the old one", async () => {
        return (await home.platform.load("cache"))?.server.wish.version === OLDEST;
      });
      await expectRuns(home, record, OLDEST);
    };
    for (const callerToo of [false, true])
      for (const step of [/taken before the upgrade/, /restarting the server/, /starting Redis 7\.9/])
        await killedAt(step, callerToo);
  }, 120_000);
});
