import { afterAll, beforeAll, expect, it } from "vitest";
import type { AddonRecord } from "../../provider/core/facets";
import type { ServerRequest } from "../../provider/platforms/contract";
import { planOf } from "../../provider/core/plans";
import { startAgent } from "../../provider/operations/agent";
import { connectAdmin } from "../../provider/operations/connect-admin";
import { inspect } from "../../provider/operations/inspect";
import type { RedisClient } from "../../provider/redis/client";
import { systemClock } from "../../provider/system/clock";
import { eventually, makeTestHome, type TestHome } from "../support/data-home";
import { connectUrl } from "../support/stack-user";
import { redisUrl } from "../../provider/core/uri";
import { describeWith } from "../support/tools";
import { change, make, onPath, run, spellingOf, supported } from "./agent-support";

let path: Disposable;
beforeAll(() => {
  path = onPath();
});
afterAll(() => {
  path[Symbol.dispose]();
});

/** Everything that is changed while a server runs, each round differently. */
function wishOf(round: number): Partial<ServerRequest> {
  const [first, second] = round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const);
  return {
    plan: (["l_mono", "xl_mono"] as const)[first],
    access: (["standard", "advanced"] as const)[second],
    evictionPolicy: (["volatile-ttl", "noeviction"] as const)[first],
    persistence: (["always", "everysec"] as const)[first],
    settings: round % 3 === 0 ? {} : { "slowlog-max-len": String(200 + round) },
    password: `password-of-round-${round}`,
  };
}

/** What the record says and the server doesn't: empty once it is as recorded. */
async function differences(server: RedisClient, { server: { wish } }: AddonRecord): Promise<string[]> {
  const wanted = {
    maxmemory: String(planOf(wish.plan).memoryBytes),
    "maxmemory-policy": wish.evictionPolicy,
    appendfsync: wish.persistence,
    "slowlog-max-len": wish.settings["slowlog-max-len"] ?? "128",
  };
  const found = await server.config(...Object.keys(wanted));
  const rights = String(await server.command("ACL", "DRYRUN", "default", "MONITOR"));
  return [
    ...Object.entries(wanted).flatMap(([name, value]) =>
      found.get(name) === value ? [] : [`${name} is ${found.get(name)}, not ${value}`],
    ),
    ...((rights === "OK") === (wish.access === "advanced") ? [] : [`MONITOR: ${rights}`]),
  ];
}

/** As recorded last, over the wire: settings, rights and password. */
async function expectAsRecorded(home: TestHome, name: string): Promise<AddonRecord> {
  return eventually(
    `${name} is as recorded`,
    async () => {
      const record = await home.platform.load(name);
      if (record === undefined) return undefined;
      try {
        await using server = await connectAdmin(home.platform, record, home.task);
        if ((await differences(server, record)).length > 0) return undefined;
        return (await run(record, "GET", "kept")) === "yes" ? record : undefined;
      } catch {
        return undefined;
      }
    },
    30_000,
  );
}

/** Its server runs and has come to what is recorded. */
async function expectPlaced(home: TestHome, name: string): Promise<AddonRecord> {
  return eventually(`${name} runs as recorded`, async () => {
    const record = await home.platform.load(name);
    const status = await inspect(home.platform, name, home.task);
    return status?.server.state === "running" && status.health === "healthy" ? record : undefined;
  });
}

async function killServer(home: TestHome, name: string): Promise<void> {
  const pid = await home.serverPid(name).catch(() => undefined);
  try {
    if (pid !== undefined) process.kill(pid, "SIGKILL");
  } catch {
    // It has left already.
  }
}

describeWith(supported, "kill -9", () => {
  it("after a kill -9 of servers, agent or both at any instant of a live change, each server of the matrix is as recorded last", async () => {
    await using home = await makeTestHome();
    const names = supported.map((_, i) => `cache-${i}`);
    await Promise.all(
      supported.map(async (server, i) => {
        const { record } = await make(home, names[i] ?? "", { version: spellingOf(server), ...wishOf(0) });
        await run(record, "SET", "kept", "yes");
        // The output that a program gets is what the server itself reports.
        const reported = await run(record, "INFO", "server");
        expect(String(reported)).toContain(`_version:${server.name.split(" ")[1]}`);
        expect(record.server.wish.version).toBe(spellingOf(server));
      }),
    );
    const victims = ["servers", "agent", "both"] as const;
    // From before the change is recorded to after it is in force.
    const delaysMs = [0, 15, 40, 90, 180, 350];
    for (const [i, delayMs] of delaysMs.entries()) {
      const round = i + 1;
      const victim = victims[i % victims.length];
      const agent = await home.agentPid();
      const caller = new AbortController();
      const task = { ...home.task, signal: caller.signal };
      const changes = names.map((name) => change(home, name, wishOf(round), task).catch(() => undefined));
      await systemClock.sleep(delayMs);
      if (victim !== "servers") process.kill(agent, "SIGKILL");
      if (victim !== "agent") for (const name of names) await killServer(home, name);
      // Half of the rounds end without their caller: what it recorded is in force all the same, or what was before.
      if (i % 2 === 1) caller.abort(new Error("the caller went away"));
      await Promise.all(changes);
      await startAgent(home.path, home.task);
      for (const name of names) await expectAsRecorded(home, name);
    }
  }, 180_000);

  it("a kill -9 of all while the way in which data are kept changes leaves them as they were or none, never older ones", async () => {
    await using home = await makeTestHome();
    const wishes = [
      { persistence: "everysec", plan: "s_mono" },
      { persistence: "none", plan: "m_mono" },
      { persistence: "none", plan: "s_mono" },
      { persistence: "always", plan: "s_mono" },
      { persistence: "none", plan: "s_mono" },
    ] as const;
    await make(home, "cache", wishes[0]);
    for (let round = 1; round <= 10; round++) {
      const record = await home.platform.load("cache");
      if (record === undefined) throw new Error("no record");
      await run(record, "SET", "round", String(round));
      const agent = await home.agentPid();
      const caller = new AbortController();
      const task = { ...home.task, signal: caller.signal };
      const changing = change(home, "cache", wishes[round % wishes.length] ?? {}, task).catch(
        () => undefined,
      );
      await systemClock.sleep(round * 18);
      caller.abort(new Error("the caller went away"));
      // The old server may be gone and the new one not there yet.
      process.kill(agent, "SIGKILL");
      await killServer(home, "cache");
      await changing;
      await startAgent(home.path, home.task);
      const placed = await expectPlaced(home, "cache");
      expect([null, String(round)], `round ${round}`).toContain(await run(placed, "GET", "round"));
      if (placed.server.wish.persistence === "none" || record.server.wish.persistence === "none") continue;
      expect(await run(placed, "GET", "round"), `round ${round}`).toBe(String(round));
    }
  }, 120_000);

  it("a new password leaves sessions that are open alone, on each server of the matrix", async () => {
    await using home = await makeTestHome();
    await Promise.all(
      supported.map(async (server, i) => {
        const name = `cache-${i}`;
        const version = spellingOf(server);
        const { record } = await make(home, name, { version, password: "the-old-one" });
        const { port } = record.server.wish;
        await using session = await connectUrl(
          redisUrl({ host: "127.0.0.1", port, password: "the-old-one" }),
        );
        const { record: changed, restartedMs } = await change(home, name, {
          version,
          password: "the-new-one",
        });
        expect(restartedMs).toBeUndefined();
        expect(await session.command("PING")).toBe("PONG");
        expect(changed.credentials.password).toBe("the-new-one");
        expect(await run(changed, "PING")).toBe("PONG");
        await expect(session.command("AUTH", "the-old-one")).rejects.toMatchObject({
          code: "wrong-password",
        });
      }),
    );
  });
});
