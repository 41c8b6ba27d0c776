import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { AddonRecord } from "../../provider/core/facets";
import { backUp } from "../../provider/operations/backups";
import { follows } from "../support/follow";
import { inspect } from "../../provider/operations/inspect";
import { startAgent } from "../../provider/operations/agent";
import type { ServerRequest } from "../../provider/platforms/contract";
import { connectRedis, type RedisClient } from "../../provider/redis/client";
import { type CrowdOptions, startCrowd } from "../support/crowd";
import { carries, creates, eventually, makeTestHome, SMALL, type TestHome } from "../support/data-home";
import { provision } from "../support/provision";

const PLAN = 40;
/** More than the server takes altogether, so that many are refused at every moment. */
const CROWD = 500;

function of(connections: number, changes: Partial<ServerRequest> = {}): ServerRequest {
  return { ...SMALL, plan: { memory: "128mb", connections, databases: 1 }, ...changes };
}

function make(home: TestHome, name: string, wish = of(PLAN)): Promise<AddonRecord> {
  return provision(home.platform, { name, claim: creates("t1"), wish, given: [] }, home.task);
}

function change(home: TestHome, wish: ServerRequest): Promise<AddonRecord> {
  return provision(home.platform, { name: "cache", claim: carries("t1"), wish, given: [] }, home.task);
}

function crowdOf({ server, credentials }: AddonRecord, options: Partial<CrowdOptions> = {}) {
  const { password } = credentials;
  return startCrowd({ port: server.wish.port, connections: CROWD, password, pauseMs: 50, ...options });
}

function connect({ server, credentials }: AddonRecord): Promise<RedisClient> {
  const target = { host: "127.0.0.1", port: server.wish.port, password: credentials.password };
  return connectRedis(target, { signal: AbortSignal.timeout(60_000) });
}

/** As many as are wanted, one after another, so that the first ones are the oldest. */
async function users(record: AddonRecord, count: number) {
  const stack = new AsyncDisposableStack();
  const clients: RedisClient[] = [];
  for (let i = 0; i < count; i++) clients.push(stack.use(await connect(record)));
  return { clients, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** What each connection answers to ECHO, or the code of why it doesn't. */
function echoes(clients: readonly RedisClient[]): Promise<unknown[]> {
  return Promise.all(
    clients.map((client) => client.command("ECHO", "here").catch((error: { code: string }) => error.code)),
  );
}

function all(answer: string, count: number): string[] {
  return Array.from({ length: count }, () => answer);
}

async function agentLog(home: TestHome): Promise<string> {
  return readFile(join(home.path, "agent.log"), "utf8");
}

function followsCache(home: TestHome, name: string) {
  return follows(home, { name, leader: "cache" });
}

/** The crowd has met the server's own limit, and has been turned away by ours as well. */
async function isPressing(crowd: Awaited<ReturnType<typeof startCrowd>>): Promise<boolean> {
  const { refused, closed } = await crowd.count();
  return refused > CROWD && closed > CROWD / 4;
}

describe("users who take all connections that they can, and come back at once", () => {
  it("keep nobody out: backup, change, follower and status work, and who was there first stays", async () => {
    await using home = await makeTestHome();
    const record = await make(home, "cache");
    await make(home, "copy");
    await using first = await users(record, PLAN);
    await using crowd = await crowdOf(record);
    await eventually("the crowd presses", () => isPressing(crowd));

    expect(await backUp(home.platform, "cache", home.task)).toMatchObject({ keys: 0 });
    await change(home, of(PLAN, { evictionPolicy: "allkeys-lru" }));
    await followsCache(home, "copy");
    const status = await inspect(home.platform, "cache", home.task);
    expect(status).toMatchObject({
      problems: [],
      server: { state: "running" },
      replication: { followers: [{}] },
    });
    expect(await echoes(first.clients)).toEqual(all("here", PLAN));
    const said = /cache: closed the newest \d+ of its users' connections: its plan allows 40\n/;
    expect(await agentLog(home)).toMatch(said);
  });

  it("are turned away as well where they never log in", async () => {
    await using home = await makeTestHome();
    const record = await make(home, "cache");
    await using first = await users(record, 10);
    const { port } = record.server.wish;
    await using crowd = await startCrowd({ port, connections: CROWD, pauseMs: 50 });
    await eventually("the crowd presses", () => isPressing(crowd));
    await change(home, of(PLAN, { evictionPolicy: "allkeys-lru" }));
    expect(await backUp(home.platform, "cache", home.task)).toMatchObject({ keys: 0 });
    expect(await echoes(first.clients)).toEqual(all("here", 10));
  });

  it("keep nobody out of a server that is restarted under them", async () => {
    await using home = await makeTestHome();
    const record = await make(home, "cache");
    await using crowd = await crowdOf(record);
    await eventually("the crowd presses", () => isPressing(crowd));
    const before = await home.serverPid("cache");
    await change(home, { ...SMALL, plan: { memory: "128mb", connections: PLAN, databases: 2 } });
    expect(await home.serverPid("cache")).not.toBe(before);
    const { closed } = await crowd.count();
    await eventually(
      "the crowd is turned away again",
      async () => (await crowd.count()).closed > closed + 500,
    );
    expect(await backUp(home.platform, "cache", home.task)).toMatchObject({ keys: 0 });
  });

  it("are turned away by the next agent too, after the one before was killed", async () => {
    await using home = await makeTestHome();
    const record = await make(home, "cache");
    await using first = await users(record, PLAN);
    process.kill(await home.agentPid(), "SIGKILL");
    await using crowd = await crowdOf(record, { connections: 100 });
    await eventually("they are all in", async () => (await crowd.count()).open === 100);
    await startAgent(home.path, home.task);
    await eventually("they are turned away", async () => (await crowd.count()).closed > 100);
    expect(await echoes(first.clients)).toEqual(all("here", PLAN));
  });
});

describe("a plan's connections", { concurrent: true }, () => {
  it("can all be used, with followers and administration besides", async () => {
    await using home = await makeTestHome();
    const record = await make(home, "cache");
    await make(home, "copy");
    await using full = await users(record, PLAN);
    await followsCache(home, "copy");
    await backUp(home.platform, "cache", home.task);
    await using one = await users(record, 1);
    await eventually("one too many is turned away", async () => {
      expect(await echoes(full.clients)).toEqual(all("here", PLAN));
      return (await echoes(one.clients))[0] === "connection-closed";
    });
  });

  it("made fewer close the newest ones, subscribers among them, and the others see no error", async () => {
    await using home = await makeTestHome();
    const record = await make(home, "cache");
    await using older = await users(record, 25);
    const subscribers = { connections: PLAN - 25, subscribe: true, pauseMs: 600_000 };
    await using newer = await crowdOf(record, subscribers);
    await eventually("the plan is used up", async () => (await newer.count()).open === PLAN - 25);
    await change(home, of(25));
    await eventually("the newest are gone", async () => {
      expect(await echoes(older.clients)).toEqual(all("here", 25));
      return (await newer.count()).closed === PLAN - 25;
    });
    expect(await echoes(older.clients)).toEqual(all("here", 25));
    const said = "closed the newest 15 of its users' connections: its plan allows 25";
    await eventually("it is in the log", async () => (await agentLog(home)).includes(said));
  });
});

describe("the administration's connection", { concurrent: true }, () => {
  it("is made anew where a user with advanced access has closed it", async () => {
    await using home = await makeTestHome();
    const record = await make(home, "cache", of(PLAN, { access: "advanced" }));
    await using user = await connect(record);
    await user.command("CLIENT", "KILL", "USER", "redis-addon-admin");
    await eventually("it is there again", async () =>
      String(await user.command("CLIENT", "LIST")).includes("user=redis-addon-admin"),
    );
    await using crowd = await crowdOf(record, { connections: 100 });
    await eventually("users above the plan are turned away", async () => (await crowd.count()).closed > 100);
    expect(await echoes([user])).toEqual(["here"]);
  });

  it.each([
    ["a pause of all clients", ["CLIENT", "PAUSE", "3000", "ALL"]],
    ["a script that holds the server up", ["EVAL", "while true do end", "0"]],
  ] as const)("outlasts %s, and turns users away after it", async (_, [name, ...args]) => {
    await using home = await makeTestHome();
    const record = await make(home, "cache", of(PLAN, { access: "advanced" }));
    await using user = await connect(record);
    const held = /id=(\d+) .*user=redis-addon-admin/;
    const idOf = async () => held.exec(String(await user.command("CLIENT", "LIST")))?.[1];
    const before = await idOf();
    expect(before).toBeDefined();

    await using other = await connect(record);
    const holding = other.command(name, ...args).catch((error: Error) => error.message);
    await using crowd = await crowdOf(record, { connections: 100 });
    if (name === "EVAL") {
      await eventually("the script is found to run too long", async () => {
        const answer = await user.command("ECHO", "x").catch((error: Error) => error.message);
        return String(answer).includes("BUSY");
      });
      await user.command("SCRIPT", "KILL");
    }
    await holding;
    await eventually("users above the plan are turned away", async () => (await crowd.count()).closed > 100);
    expect(await idOf()).toBe(before);
  });
});
