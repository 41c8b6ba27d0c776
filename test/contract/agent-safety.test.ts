import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdir, mkdtemp, readdir, readFile, readlink, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { AddonRecord } from "../../provider/core/facets";
import { redisUrl } from "../../provider/core/uri";
import { startAgent, stopAgent } from "../../provider/operations/agent";
import { stopFollowing } from "../../provider/operations/promote";
import { follows } from "../support/follow";
import { inspect } from "../../provider/operations/inspect";
import { provision } from "../support/provision";
import { remove } from "../../provider/operations/remove";
import { identify } from "../../provider/system/processes";
import { carries, creates, eventually, makeTestHome, SMALL, type TestHome } from "../support/data-home";
import { connectUrl } from "../support/stack-user";

function make(home: TestHome, name: string, token = "t1"): Promise<AddonRecord> {
  return provision(home.platform, { name, claim: creates(token), wish: SMALL, given: [] }, home.task);
}

function urlOf({ server, credentials }: AddonRecord): string {
  return redisUrl({ host: "127.0.0.1", port: server.wish.port, password: credentials.password });
}

async function run(record: AddonRecord, ...command: [string, ...string[]]): Promise<unknown> {
  await using client = await connectUrl(urlOf(record));
  return await client.command(...command);
}

async function followLead(home: TestHome): Promise<AddonRecord> {
  return (await follows(home, { name: "copy", leader: "lead" })).record;
}

async function serversIn(folder: string): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry));
  const found = await Promise.all(
    pids.map(async (pid) =>
      (await readlink(`/proc/${pid}/cwd`).catch(() => "")) === folder ? [Number(pid)] : [],
    ),
  );
  return found.flat();
}

async function squat(port: number): Promise<AsyncDisposable> {
  const program = `require("net").createServer().listen(${port}, "127.0.0.1", () => console.log("listening"))`;
  const squatter = spawn(process.execPath, ["-e", program]);
  await once(squatter.stdout, "data");
  return {
    [Symbol.asyncDispose]: async () => {
      squatter.kill("SIGKILL");
      await once(squatter, "exit");
    },
  };
}

describe("data are not lost", { concurrent: true }, () => {
  it("to a leader that is made anew under the old name: its follower keeps what it has, and says so", async () => {
    await using home = await makeTestHome();
    const lead = await make(home, "lead");
    const copy = await make(home, "copy");
    await followLead(home);
    await run(lead, "SET", "kept", "yes");
    await eventually("the follower has it", async () => (await run(copy, "GET", "kept")) === "yes");
    await remove(home.platform, { name: "lead", token: "t1" }, home.task);
    const anew = await make(home, "lead", "t2");
    expect(anew.createdAt).not.toBe(lead.createdAt);
    await expect(followLead(home)).rejects.toThrow(/holds 1 key from the leader it follows now/);
    // Long enough for a link to come up, had it been let.
    await eventually("the follower has given its leader up", async () => {
      await using client = await connectUrl(urlOf(copy));
      return String(await client.command("INFO", "replication")).includes("master_port:1\r");
    });
    expect(await run(copy, "GET", "kept")).toBe("yes");
    const promoted = await stopFollowing(home.platform, { name: "copy", token: "f1" }, home.task);
    expect(promoted).toMatchObject({ outcome: "promoted", finalOffset: expect.any(Number) as number });
    expect(await run(copy, "GET", "kept")).toBe("yes");
  });

  it("to a data folder that disappeared: the server stays down instead of starting empty", async () => {
    await using home = await makeTestHome();
    const lead = await make(home, "lead");
    const copy = await make(home, "copy");
    await followLead(home);
    await run(lead, "SET", "kept", "yes");
    await eventually("the follower has it", async () => (await run(copy, "GET", "kept")) === "yes");
    await rm(join(home.path, "addons/lead/data"), { recursive: true });
    process.kill(await home.serverPid("lead"), "SIGKILL");
    const status = await eventually("the leader is down and says why", async () => {
      const seen = await inspect(home.platform, "lead", home.task);
      return seen?.server.state === "stopped" && seen.server.why.includes("holds no data any more")
        ? seen
        : undefined;
    });
    expect(status.health).toBe("down");
    expect(await run(copy, "GET", "kept")).toBe("yes");
    // Giving it up is possible all the same.
    const removal = await remove(home.platform, { name: "lead", token: "t1" }, home.task);
    expect(removal).toEqual({ outcome: "removed", noBackup: "no-data" });
  });

  it("to two servers on one folder: one that nobody noted and that doesn't answer is still found", async () => {
    await using home = await makeTestHome();
    await make(home, "cache");
    const server = await home.serverPid("cache");
    process.kill(await home.agentPid(), "SIGKILL");
    await rm(join(home.path, "addons/cache/process.json"));
    process.kill(server, "SIGSTOP");
    try {
      const task = { ...home.task, signal: AbortSignal.timeout(4_000) };
      const wish = { ...SMALL, port: 19_321 };
      const request = { name: "cache", claim: carries("t1"), wish, given: ["port"] };
      await expect(provision(home.platform, request, task)).rejects.toThrow();
      expect(await serversIn(join(home.path, "addons/cache/data"))).toEqual([server]);
    } finally {
      process.kill(server, "SIGCONT");
    }
    await eventually("it runs where it shall, alone", async () => {
      const status = await inspect(home.platform, "cache", home.task);
      const servers = await serversIn(join(home.path, "addons/cache/data"));
      return status?.server.state === "running" && status.port === 19_321 && servers.length === 1;
    });
  });
});

describe("what was begun is ended", { concurrent: true }, () => {
  it("when the caller of a removal goes away: users are let in again", async () => {
    await using home = await makeTestHome();
    const record = await make(home, "cache");
    const caller = new AbortController();
    const removal = remove(
      home.platform,
      { name: "cache", token: "t1" },
      { ...home.task, signal: caller.signal },
    );
    await eventually("the removal is recorded", async () => {
      const seen = await home.platform.load("cache");
      return seen === undefined || seen.removing !== undefined;
    });
    caller.abort(new Error("the caller went away"));
    await expect(removal).rejects.toThrow();
    await eventually("it is as it was, or gone for good", async () => {
      const seen = await home.platform.load("cache");
      if (seen === undefined) return true;
      return seen.removing === undefined && (await run(record, "PING")) === "PONG";
    });
  });

  it("when a change was recorded and the agent died before the server had it", async () => {
    await using home = await makeTestHome();
    const record = await make(home, "cache");
    await stopAgent(home.path, true, home.task);
    const file = join(home.path, "addons/cache/record.json");
    await writeFile(file, (await readFile(file, "utf8")).replace('"noeviction"', '"allkeys-lru"'));
    await startAgent(home.path, home.task);
    await eventually("the server has it", async () => {
      await using client = await connectUrl(urlOf(record));
      return String(await client.command("INFO", "memory")).includes("maxmemory_policy:allkeys-lru");
    });
  });

  it("when a stranger has the port of an add-on that is to be removed", async () => {
    await using home = await makeTestHome();
    const record = await make(home, "cache");
    await run(record, "SET", "kept", "yes");
    await stopAgent(home.path, false, home.task);
    await using _squatter = await squat(record.server.wish.port);
    const removal = await remove(home.platform, { name: "cache", token: "t1" }, home.task);
    expect(removal).toMatchObject({ outcome: "removed", finalBackup: { archive: expect.any(String) } });
  });

  it("for every add-on, while another one takes for ever to start", async () => {
    await using home = await makeTestHome();
    const folder = await mkdtemp(join(tmpdir(), "raf-"));
    const path = process.env["PATH"];
    try {
      await make(home, "good");
      const slow = join(folder, "redis-server");
      await writeFile(
        slow,
        `#!/bin/sh\n[ "$1" = --version ] && echo "Redis server v=7.9.9 sha=0" && exit\nexec sleep 600\n`,
      );
      await chmod(slow, 0o755);
      const change = {
        facet: "server",
        name: "slow",
        claim: creates("t1"),
        given: [],
        wish: { ...SMALL, version: "7.9.9" },
      } as const;
      const caller = new AbortController();
      process.env["PATH"] = `${folder}:${path}`;
      const hanging = home.platform.apply(change, { ...home.task, signal: caller.signal });
      hanging.catch(() => undefined);
      await eventually("it is being started", async () => (await home.platform.load("slow")) !== undefined);
      const killed = await home.serverPid("good");
      process.kill(killed, "SIGKILL");
      await eventually("the other one is back", async () => {
        const status = await inspect(home.platform, "good", home.task);
        return status?.server.state === "running" && status.server.pid !== killed;
      });
      caller.abort(new Error("enough"));
      await hanging.catch(() => undefined);
      for (const pid of await serversIn(join(home.path, "addons/slow/data"))) process.kill(pid, "SIGKILL");
    } finally {
      process.env["PATH"] = path;
      await rm(folder, { recursive: true });
    }
  });

  it("when the data home is removed underneath: agent and servers leave", async () => {
    await using home = await makeTestHome();
    await make(home, "cache");
    const pids = [await home.agentPid(), await home.serverPid("cache")];
    await rm(home.path, { recursive: true });
    await eventually("both are gone", async () => {
      const alive = await Promise.all(pids.map(identify));
      return alive.every((process) => process === undefined);
    });
    await mkdir(home.path);
  });
});

it("a name can't lead out of the data home", async () => {
  await using home = await makeTestHome();
  const claim = creates("t1");
  const change = { facet: "server", name: "../escaped", claim, given: [], wish: SMALL } as const;
  await expect(home.platform.apply(change, home.task)).rejects.toThrow(/lower case letters/);
  expect(await readdir(join(home.path, "addons")).catch(() => [])).toEqual([]);
  await expect(readdir(join(home.path, "escaped"))).rejects.toThrow("ENOENT");
});

it("an agent that a person stops stays stopped, however many were being started beside it", async () => {
  await using home = await makeTestHome();
  // Each caller may start a process; all but one wait for a moment for the lock that the first one holds.
  const records = await Promise.all(["a", "b", "c", "d"].map((name) => make(home, name)));
  await stopAgent(home.path, false, home.task);
  const deadline = Date.now() + 4_000;
  await eventually("no other one has come up in the time that they wait", async () => {
    const folders = records.map(({ name }) => join(home.path, "addons", name, "data"));
    expect((await Promise.all(folders.map(serversIn))).flat()).toEqual([]);
    return Date.now() > deadline;
  });
});
