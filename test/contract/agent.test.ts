import { spawn } from "node:child_process";
import { once } from "node:events";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { Redis } from "ioredis";
import { describe, expect, it } from "vitest";
import type { AddonRecord } from "../../provider/core/facets";
import { redisUrl } from "../../provider/core/uri";
import { agentStatus, startAgent, stopAgent } from "../../provider/operations/agent";
import { inspect, inspectAll } from "../../provider/operations/inspect";
import { follows } from "../support/follow";
import { provision } from "../support/provision";
import { remove } from "../../provider/operations/remove";
import { identify } from "../../provider/system/processes";
import {
  carries,
  creates,
  eventually,
  makeTestHome,
  OWNER,
  SMALL,
  type TestHome,
} from "../support/data-home";

function make(home: TestHome, name: string, token = "t1", port?: number): Promise<AddonRecord> {
  const wish = port === undefined ? SMALL : { ...SMALL, port };
  return provision(home.platform, { name, claim: creates(token), wish, given: ["plan"] }, home.task);
}

async function asUser<Result>(record: AddonRecord, use: (redis: Redis) => Promise<Result>): Promise<Result> {
  const { port, bind } = record.server.wish;
  const url = redisUrl({ host: bind, port, password: record.credentials.password });
  const redis = new Redis(url, { maxRetriesPerRequest: 20, retryStrategy: () => 100 });
  redis.on("error", () => undefined);
  try {
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}

async function isGone(pid: number): Promise<boolean> {
  return (await identify(pid)) === undefined;
}

describe("the agent", { concurrent: true }, () => {
  it("starts on demand, creates an add-on and serves its socket to this user alone", async () => {
    await using home = await makeTestHome();
    const record = await make(home, "cache");
    expect(await asUser(record, (redis) => redis.set("a", "1"))).toBe("OK");
    expect((await stat(join(home.path, "agent.sock"))).mode & 0o777).toBe(0o600);
    expect((await stat(join(home.path, "addons", "cache", "record.json"))).mode & 0o777).toBe(0o600);
    expect((await stat(join(home.path, "addons"))).mode & 0o777).toBe(0o700);
  });

  it("is one agent, however many callers start it at the same moment", async () => {
    await using home = await makeTestHome();
    const records = await Promise.all(["a", "b", "c", "d"].map((name) => make(home, name)));
    expect(new Set(records.map((record) => record.server.wish.port)).size).toBe(4);
    const starts = (await readFile(join(home.path, "agent.log"), "utf8")).match(/ serves /g);
    expect(starts).toHaveLength(1);
  });

  it("adopts running servers after its own kill -9 and starts no second one", async () => {
    await using home = await makeTestHome();
    const record = await make(home, "cache");
    const server = await home.serverPid("cache");
    process.kill(await home.agentPid(), "SIGKILL");
    await asUser(record, (redis) => redis.set("written-without-an-agent", "1"));
    await make(home, "cache", "t2");
    expect(await home.serverPid("cache")).toBe(server);
    expect(await asUser(record, (redis) => redis.get("written-without-an-agent"))).toBe("1");
  });

  it("finds a server that an earlier agent started and could not note down, and replaces it", async () => {
    await using home = await makeTestHome();
    const record = await make(home, "cache");
    await asUser(record, (redis) => redis.set("a", "1"));
    const server = await home.serverPid("cache");
    process.kill(await home.agentPid(), "SIGKILL");
    await rm(join(home.path, "addons", "cache", "process.json"));
    await make(home, "cache", "t2");
    // How it was launched isn't known, so it is launched as recorded.
    expect(await isGone(server)).toBe(true);
    expect(await asUser(record, (redis) => redis.get("a"))).toBe("1");
  });

  it("restarts a server that was killed, with every write that it had acknowledged", async () => {
    await using home = await makeTestHome();
    const record = await make(home, "cache");
    await asUser(record, async (redis) => {
      for (let i = 0; i < 500; i++) await redis.incr("counter");
    });
    const killed = await home.serverPid("cache");
    process.kill(killed, "SIGKILL");
    await eventually("another server runs", async () => {
      const status = await inspect(home.platform, "cache", home.task);
      return status?.server.state === "running" && status.server.pid !== killed;
    });
    expect(await asUser(record, (redis) => redis.get("counter"))).toBe("500");
  });

  it("brings everything back after agent and servers were killed together", async () => {
    await using home = await makeTestHome();
    const record = await make(home, "cache");
    await asUser(record, (redis) => redis.set("kept", "yes"));
    const server = await home.serverPid("cache");
    process.kill(await home.agentPid(), "SIGKILL");
    process.kill(server, "SIGKILL");
    await startAgent(home.path, home.task);
    expect(await asUser(record, (redis) => redis.get("kept"))).toBe("yes");
  });

  it("keeps a recorded port: where it is taken the server stays down and says by whom", async () => {
    await using home = await makeTestHome();
    const record = await make(home, "cache");
    const { port } = record.server.wish;
    await stopAgent(home.path, false, home.task);
    const squatter = spawn(process.execPath, [
      "-e",
      `require("net").createServer().listen(${port}, "127.0.0.1", () => console.log("listening"))`,
    ]);
    try {
      await once(squatter.stdout, "data");
      await startAgent(home.path, home.task);
      const status = await eventually("the status says why", async () => {
        const seen = await inspect(home.platform, "cache", home.task);
        return seen?.server.state === "stopped" && seen.server.why.includes("taken by") ? seen : undefined;
      });
      expect(status.health).toBe("down");
      expect(status.problems.join()).toContain(
        `port ${port} of 127.0.0.1 is taken by process ${squatter.pid} (`,
      );
      await expect(make(home, "cache", "t2")).rejects.toThrow(`port ${port} of 127.0.0.1 is taken`);
    } finally {
      squatter.kill("SIGKILL");
      await once(squatter, "exit");
    }
    await eventually(
      "it runs once the port is free",
      async () => {
        const seen = await inspect(home.platform, "cache", home.task);
        return seen?.server.state === "running" && seen.port === port;
      },
      40_000,
    );
  });

  it("refuses a port that belongs to another add-on", async () => {
    await using home = await makeTestHome();
    const { server } = await make(home, "first");
    await expect(make(home, "second", "t1", server.wish.port)).rejects.toThrow("belongs to the add-on first");
    expect(await home.platform.names()).toEqual(["first"]);
  });

  it("stops its servers cleanly, and their sockets are free", async () => {
    await using home = await makeTestHome();
    const record = await make(home, "cache");
    const [agent, server] = [await home.agentPid(), await home.serverPid("cache")];
    expect(await stopAgent(home.path, false, home.task)).toEqual({ stopped: ["cache"] });
    await eventually("both are gone", async () => (await isGone(agent)) && (await isGone(server)));
    const probe = createServer().listen(record.server.wish.port, "127.0.0.1");
    await once(probe, "listening");
    probe.close();
    expect((await agentStatus(home.path)).agent).toBeUndefined();
    expect((await inspect(home.platform, "cache", home.task))?.server).toMatchObject({
      state: "stopped",
      why: expect.stringContaining("the agent was stopped"),
    });
  });

  it("leaves its servers running when it is asked to, and says that they are unattended", async () => {
    await using home = await makeTestHome();
    const record = await make(home, "cache");
    await stopAgent(home.path, true, home.task);
    expect(await asUser(record, (redis) => redis.ping())).toBe("PONG");
    const status = await inspect(home.platform, "cache", home.task);
    expect(status?.problems.join()).toContain("the agent is not running");
  });

  it("runs from its own copy of the program, below the data home", async () => {
    await using home = await makeTestHome();
    await make(home, "cache");
    const command = await readFile(`/proc/${await home.agentPid()}/cmdline`, "utf8").catch(() => undefined);
    if (process.platform === "linux") expect(command).toContain(join(home.path, "programs"));
    const [program] = (await readdir(join(home.path, "programs"))).filter(
      (name) => !name.startsWith("node-"),
    );
    expect(await readdir(join(home.path, "programs", program ?? "", "node_modules"))).toContain("ioredis");
  });

  it("passes on to the agent none of the caller's secrets in its environment", async () => {
    process.env["PULUMI_CONFIG_PASSPHRASE"] ??= "test-passphrase-that-must-not-leak";
    await using home = await makeTestHome();
    await make(home, "cache");
    const environment = await readFile(`/proc/${await home.agentPid()}/environ`, "utf8").catch(() => "");
    expect(environment).not.toContain("PULUMI");
  });
});

describe("an add-on's life", { concurrent: true }, () => {
  it("is adopted by a second create of the same owner, with its data, port and password", async () => {
    await using home = await makeTestHome();
    const first = await make(home, "cache", "t1");
    await asUser(first, (redis) => redis.set("a", "1"));
    const second = await make(home, "cache", "t2");
    expect(second.credentials).toEqual(first.credentials);
    expect(second.server.wish.port).toBe(first.server.wish.port);
    expect(await asUser(second, (redis) => redis.get("a"))).toBe("1");
  });

  it("is not deleted by the delete of an instance that was replaced", async () => {
    await using home = await makeTestHome();
    await make(home, "cache", "t1");
    const record = await make(home, "cache", "t2");
    expect(await remove(home.platform, { name: "cache", token: "t1" }, home.task)).toEqual({
      outcome: "stale",
    });
    expect(await asUser(record, (redis) => redis.ping())).toBe("PONG");
  });

  it("can be taken back by the previous instance while nobody has used the newer one", async () => {
    await using home = await makeTestHome();
    await make(home, "cache", "t1");
    await make(home, "cache", "t2");
    const back = { name: "cache", claim: carries("t1"), wish: SMALL, given: ["plan"] };
    expect((await provision(home.platform, back, home.task)).server.instance).toEqual({
      token: "t1",
      confirmed: true,
    });
    const late = { ...back, claim: carries("t2") };
    await expect(provision(home.platform, late, home.task)).rejects.toThrow("this state is older");
  });

  it("is refused to another project and to another stack, naming both", async () => {
    await using home = await makeTestHome();
    await make(home, "cache");
    for (const owner of [
      { ...OWNER, project: "bank" },
      { ...OWNER, stack: "prod" },
    ]) {
      const claim = creates("t9", owner);
      const attempt = provision(home.platform, { name: "cache", claim, wish: SMALL, given: [] }, home.task);
      await expect(attempt).rejects.toThrow(
        `made by the stack shop/dev, and this is ${owner.project}/${owner.stack}`,
      );
    }
    await home.platform.handOver({ name: "cache", to: { ...OWNER, stack: "prod" } }, home.task);
    const claim = creates("t9", { ...OWNER, stack: "prod" });
    await provision(home.platform, { name: "cache", claim, wish: SMALL, given: [] }, home.task);
  });

  it("changes its eviction policy at run time, without closing a connection", async () => {
    await using home = await makeTestHome();
    const record = await make(home, "cache");
    const pid = await home.serverPid("cache");
    await asUser(record, async (redis) => {
      await redis.ping();
      const wish = { ...SMALL, evictionPolicy: "allkeys-lru" as const };
      await provision(home.platform, { name: "cache", claim: carries("t1"), wish, given: [] }, home.task);
      expect((await redis.info("memory")).match(/maxmemory_policy:(\S+)/)?.[1]).toBe("allkeys-lru");
      expect(redis.status).toBe("ready");
    });
    expect(await home.serverPid("cache")).toBe(pid);
  });

  it("restarts in place for what can't be changed at run time, data kept", async () => {
    await using home = await makeTestHome();
    const record = await make(home, "cache");
    await asUser(record, (redis) => redis.set("a", "1"));
    const wish = { ...SMALL, plan: "m_mono" as const };
    const request = { name: "cache", claim: carries("t1"), wish, given: [] };
    const changed = await provision(home.platform, request, home.task);
    expect(await asUser(changed, (redis) => redis.get("a"))).toBe("1");
    expect(await asUser(changed, (redis) => redis.select(4))).toBe("OK");
  });

  it("ends with a final backup that holds the last acknowledged write, and leaves nothing else", async () => {
    await using home = await makeTestHome();
    const record = await make(home, "cache");
    const server = await home.serverPid("cache");
    await asUser(record, (redis) => redis.set("last", "write"));
    const removal = await remove(home.platform, { name: "cache", token: "t1" }, home.task);
    if (removal.outcome !== "removed") throw new Error(`it was ${removal.outcome}`);
    await expect(stat(new URL(removal.finalBackup?.archive ?? ""))).resolves.toBeDefined();
    expect(await home.platform.names()).toEqual([]);
    expect(await isGone(server)).toBe(true);
    expect(await readdir(join(home.path, "trash"))).toEqual([]);
    expect(await remove(home.platform, { name: "cache", token: "t1" }, home.task)).toEqual({
      outcome: "absent",
    });
  });

  it("stays whole, with its users let in again, when the final backup can't be taken", async () => {
    await using home = await makeTestHome();
    const record = await make(home, "cache");
    await asUser(record, (redis) => redis.set("a", "1"));
    const backups = {
      facet: "backups",
      name: "cache",
      claim: creates("b1"),
      given: [],
      wish: {
        schedule: { daily: "03:00" },
        retention: { days: 7 },
        destination: `file://${home.path}/agent.log/not-a-folder`,
      },
    } as const;
    await home.platform.apply(backups, home.task);
    await expect(remove(home.platform, { name: "cache", token: "t1" }, home.task)).rejects.toThrow("cache");
    expect(await asUser(record, (redis) => redis.get("a"))).toBe("1");
    expect((await home.platform.load("cache"))?.removing).toBeUndefined();
  });

  it("goes on with a removal that was killed half-way", async () => {
    await using home = await makeTestHome();
    const record = await make(home, "cache");
    await asUser(record, (redis) => redis.set("a", "1"));
    const agent = await home.agentPid();
    const removal = remove(home.platform, { name: "cache", token: "t1" }, home.task);
    await eventually("the removal is recorded", async () => {
      const seen = await home.platform.load("cache");
      return seen === undefined || seen.removing !== undefined;
    });
    process.kill(agent, "SIGKILL");
    // The caller starts another agent and makes the call again.
    expect((await removal).outcome).toMatch(/removed|absent/);
    expect(await inspectAll(home.platform, home.task)).toEqual([]);
    expect((await readdir(join(home.path, "backups"))).length).toBe(1);
  });
});

describe("a follower's end", () => {
  it("is possible without its leader: the final backup holds what it had received", async () => {
    await using home = await makeTestHome();
    const leader = await make(home, "lead");
    await make(home, "copy");
    await follows(home, { name: "copy", leader: "lead" });
    await asUser(leader, (redis) => redis.set("a", "1"));
    await remove(home.platform, { name: "lead", token: "t1" }, home.task);
    const removal = await remove(home.platform, { name: "copy", token: "t1" }, home.task);
    expect(removal).toMatchObject({ outcome: "removed" });
  });
});
