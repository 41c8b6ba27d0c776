import { mkdir, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { startAgent, stopAgent } from "../../provider/operations/agent";
import { stopFollowing } from "../../provider/operations/promote";
import { follows } from "../support/follow";
import { remove } from "../../provider/operations/remove";
import { eventually, makeTestHome, type TestHome } from "../support/data-home";
import { agentLog, change, crash, make, run } from "./agent-support";

/** What would bring data back at a start: of the kind that the server keeps, or of an earlier one. */
async function dataFiles(home: TestHome): Promise<string[]> {
  const files = await readdir(join(home.path, "addons/cache/data"));
  return files.filter((file) => /^(appendonlydir|dump)/.test(file));
}

describe("an add-on that keeps its data in memory alone", { concurrent: true }, () => {
  it("has them after a restart that was planned, and after a crash neither them nor older ones", async () => {
    await using home = await makeTestHome();
    const { record } = await make(home, "cache", { persistence: "none" });
    await run(record, "SET", "before", "1");
    const { restartedMs } = await change(home, "cache", { persistence: "none", plan: "m_mono" });
    expect(home.messages).toContain(`restarted in ${restartedMs} ms`);
    expect(await run(record, "GET", "before")).toBe("1");
    // The second time while the server is being started.
    for (let i = 0; i < 2; i++) {
      await stopAgent(home.path, false, home.task);
      await startAgent(home.path, home.task);
    }
    expect(await run(record, "GET", "before")).toBe("1");
    // Also where the agent was cut off before it could clear the loaded file away.
    await change(home, "cache", { persistence: "none", plan: "m_mono" });
    expect(await dataFiles(home)).toEqual([]);
    // Such as a sync leaves, and only a moment later removes.
    await writeFile(join(home.path, "addons/cache/data/dump.rdb"), "of long ago");
    await crash(home, "cache");
    expect(await run(record, "DBSIZE")).toBe(0);
    expect(await agentLog(home)).toContain("cache: its server kept the data in memory alone and is gone");
  });

  it("catches up after a restart as a follower, and has them after another one as a leader", async () => {
    await using home = await makeTestHome();
    const { record: lead } = await make(home, "lead");
    const { record } = await make(home, "cache", { persistence: "none" });
    await follows(home, { name: "cache", leader: "lead" });
    await run(lead, "SET", "a", "1");
    await change(home, "cache", { persistence: "none", plan: "m_mono" });
    await eventually("it has caught up", async () => (await run(record, "GET", "a")) === "1");
    await stopFollowing(home.platform, { name: "cache", token: "f1" }, home.task);
    await run(record, "SET", "b", "2");
    await change(home, "cache", { persistence: "none", plan: "s_mono" });
    expect(await run(record, "MGET", "a", "b")).toEqual(["1", "2"]);
  });

  it("ends with a final backup of them", async () => {
    await using home = await makeTestHome();
    const { record } = await make(home, "cache", { persistence: "none" });
    await run(record, "SET", "last", "write");
    const removal = await remove(home.platform, { name: "cache", token: "t1" }, home.task);
    expect(removal).toMatchObject({
      outcome: "removed",
      finalBackup: { keys: 1, verification: { outcome: "verified" } },
    });
  });

  it("stays as it was where it can't save them for a restart", async () => {
    await using home = await makeTestHome();
    const { record } = await make(home, "cache", { persistence: "none" });
    await run(record, "SET", "kept", "yes");
    const server = await home.serverPid("cache");
    // Where Redis would write, a folder lies.
    await mkdir(join(home.path, `addons/cache/data/temp-${server}.rdb`));
    const attempt = change(home, "cache", { persistence: "none", plan: "m_mono" });
    await expect(attempt).rejects.toMatchObject({
      code: "change-undone",
      cause: "it keeps its data in memory alone and can't save them, so it was left running",
    });
    expect(await home.serverPid("cache")).toBe(server);
    expect(await run(record, "GET", "kept")).toBe("yes");
    expect((await home.platform.load("cache"))?.server.wish.plan).toBe("s_mono");
    // A removal asks for no more than the final backup.
    expect(await remove(home.platform, { name: "cache", token: "t1" }, home.task)).toMatchObject({
      outcome: "removed",
      finalBackup: { keys: 1 },
    });
  });
});

describe("a change of persistence", { concurrent: true }, () => {
  it("is live, and done once it holds against a crash", async () => {
    await using home = await makeTestHome();
    const { record } = await make(home, "cache", { persistence: "none" });
    const server = await home.serverPid("cache");
    await run(record, "SET", "first", "1");
    expect((await change(home, "cache", { persistence: "everysec" })).restartedMs).toBeUndefined();
    expect(await home.serverPid("cache")).toBe(server);
    await crash(home, "cache");
    expect(await run(record, "GET", "first")).toBe("1");

    await run(record, "SET", "second", "2");
    await change(home, "cache", { persistence: "always" });
    await change(home, "cache", { persistence: "none" });
    expect(await dataFiles(home)).toEqual([]);
    expect(await run(record, "GET", "second")).toBe("2");
    await crash(home, "cache");
    // Nothing of what the AOF held until then.
    expect(await run(record, "DBSIZE")).toBe(0);

    await run(record, "SET", "third", "3");
    await change(home, "cache", { persistence: "always" });
    await crash(home, "cache");
    expect(await run(record, "MGET", "first", "third")).toEqual([null, "3"]);
  });

  it("loses nothing together with a restart, in either direction", async () => {
    await using home = await makeTestHome();
    const { record } = await make(home, "cache");
    await run(record, "SET", "a", "1");
    await change(home, "cache", { persistence: "none", plan: "m_mono" });
    expect(await run(record, "GET", "a")).toBe("1");
    expect(await dataFiles(home)).toEqual([]);
    await change(home, "cache", { persistence: "always", plan: "s_mono" });
    expect(await run(record, "GET", "a")).toBe("1");
    expect(await dataFiles(home)).toEqual(["appendonlydir"]);
    await crash(home, "cache");
    expect(await run(record, "GET", "a")).toBe("1");
  });

  it("together with a restart keeps the data when the agent is killed at any step, and again", async () => {
    await using home = await makeTestHome();
    const { record } = await make(home, "cache", { persistence: "none" });
    await run(record, "SET", "a", "1");
    const toDisk = { persistence: "everysec", plan: "m_mono" } as const;
    const toMemory = { persistence: "none", plan: "s_mono" } as const;
    for (const [step, wish] of [
      ["restarting the server", toDisk],
      ["restarting the server", toMemory],
      ["saving the data", toDisk],
      ["starting Redis", toMemory],
      ["starting Redis", toDisk],
      ["restarted in", toMemory],
    ] as const) {
      const agent = await home.agentPid();
      let killed = false;
      const { signal, clock } = home.task;
      const progress = ({ message }: { message: string }) => {
        if (killed || !message.startsWith(step)) return;
        killed = true;
        process.kill(agent, "SIGKILL");
      };
      await change(home, "cache", wish, { signal, clock, progress });
      expect(killed, step).toBe(true);
      expect(await run(record, "GET", "a"), `${step}, ${wish.persistence}`).toBe("1");
    }
    await change(home, "cache", { persistence: "everysec" });
    await crash(home, "cache");
    expect(await run(record, "GET", "a")).toBe("1");
  });
});
