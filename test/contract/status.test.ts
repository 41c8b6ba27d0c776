import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AddonRecord } from "../../provider/core/facets";
import type { AddonStatus, ReplicationState } from "../../provider/core/status";
import { connectAdmin } from "../../provider/operations/connect-admin";
import { inspect } from "../../provider/operations/inspect";
import { remove } from "../../provider/operations/remove";
import type { Placement, Platform } from "../../provider/platforms/contract";
import { eventually, makeTestHome, type TestHome } from "../support/data-home";
import { startFaultProxy } from "../support/fault-proxy";
import { follows } from "../support/follow";
import { startRedisServer } from "../support/redis-server";
import { make, run } from "./agent-support";

type Follower = Extract<ReplicationState, { role: "follower" }>;

let home: TestHome;
let lead: AddonRecord;
let copy: AddonRecord;

beforeAll(async () => {
  home = await makeTestHome();
  lead = (await make(home, "lead")).record;
  copy = (await make(home, "copy")).record;
  await follows(home, { name: "copy", leader: "lead" });
});
afterAll(() => home[Symbol.asyncDispose]());

async function statusOf(name: string, platform: Platform = home.platform): Promise<AddonStatus> {
  const status = await inspect(platform, name, home.task);
  if (status === undefined) throw new Error(`there is no ${name}`);
  return status;
}

function asFollower({ replication }: AddonStatus): Follower {
  if (replication.role !== "follower") throw new Error("it is a leader");
  return replication;
}

/** The platform as it is once its agent has noted more of one add-on. */
function noting(name: string, noted: (placement: Placement) => Partial<Placement>): Platform {
  return {
    ...home.platform,
    placement: async (asked) => {
      const placement = await home.platform.placement(asked);
      return placement === undefined || asked !== name ? placement : { ...placement, ...noted(placement) };
    },
  };
}

describe("the status of a pair", () => {
  it("says of the follower whom it follows by name and address, and how far it is behind", async () => {
    await run(lead, "SET", "key", "value");
    const status = await eventually("the write is acknowledged", async () => {
      const seen = await statusOf("copy");
      return asFollower(seen).sync.lagBytes === 0 && seen;
    });
    const { port } = lead.server.wish;
    expect(status).toMatchObject({
      health: "healthy",
      problems: [],
      replication: {
        role: "follower",
        leader: { addon: "lead", host: "127.0.0.1", port },
        link: "up",
        sync: { state: "synced", lagBytes: 0 },
      },
    });
    const { sync, lastSyncedAt } = asFollower(status);
    expect(sync.lagSeconds).toBeGreaterThanOrEqual(0);
    expect(Date.parse(lastSyncedAt ?? "")).toBeGreaterThan(Date.parse(lead.createdAt));
  });

  it("says of the leader who follows it, strangers by their address alone", async () => {
    const { host, port } = { host: "127.0.0.1", port: lead.server.wish.port };
    await using stranger = await startRedisServer({
      args: ["--masteruser", "redis-addon-replica", "--masterauth", lead.credentials.replicaPassword],
    });
    await stranger.client.call("REPLICAOF", host, port);
    const { replication } = await eventually("the stranger is seen", async () => {
      const seen = await statusOf("lead");
      const online = seen.replication.role === "leader" && seen.replication.followers;
      return online && online.filter(({ state }) => state === "online").length === 2 && seen;
    });
    const lag = { lagBytes: expect.any(Number) as number, lagSeconds: expect.any(Number) as number };
    expect(replication).toEqual({
      role: "leader",
      followers: [
        { addon: "copy", host, port: copy.server.wish.port, state: "online", ...lag },
        { host, port: stranger.port, state: "online", ...lag },
      ],
    });
  });

  it("tells since when it is in sync, or until when it was, as the agent has noted it", async () => {
    const since = "2026-01-01T00:00:00.000Z";
    const synced = noting("copy", () => ({ sync: { state: "synced", since } }));
    expect(asFollower(await statusOf("copy", synced))).toMatchObject({ inSyncSince: since });
    const away = noting("copy", () => ({
      sync: { state: "behind", since },
      process: { state: "stopped", why: "of this test" },
    }));
    const replication = asFollower(await statusOf("copy", away));
    expect(replication).toMatchObject({ link: "unknown", lastSyncedAt: since });
    expect(replication).not.toHaveProperty("inSyncSince");
  });

  it("says why a follower was told to follow nobody for now", async () => {
    const halted = { why: "the leader's snapshot can't be loaded here", since: "2026-01-01T00:00:00.000Z" };
    const platform = noting("copy", ({ record }) => ({
      record: {
        ...record,
        replication: record.replication && { ...record.replication, halted },
      },
    }));
    const status = await statusOf("copy", platform);
    expect(status).toMatchObject({ health: "degraded", problems: [halted.why] });
    expect(asFollower(status)).toMatchObject({ halted, sync: { state: "broken", why: halted.why } });
  });

  it("says with both that a switchover was begun and is not known to have ended", async () => {
    const handingOver = { to: "copy", since: "2026-01-01T00:00:00.000Z" };
    const platform = noting("lead", ({ record }) => ({ record: { ...record, handingOver } }));
    for (const name of ["lead", "copy"]) {
      const { replication, problems } = await statusOf(name, platform);
      expect(replication.switchover, name).toEqual(handingOver);
      expect(problems.join(), name).toMatch(/a switchover to copy was begun at 2026-01-01/);
    }
  });

  it("says of a leader whose data are not trusted why nobody gets a copy of them", async () => {
    const distrusted = "its data are older than those it had";
    const platform = noting("lead", () => ({ distrusted }));
    expect(await statusOf("lead", platform)).toMatchObject({ health: "degraded", problems: [distrusted] });
  });

  it("finds a server that follows somebody else than recorded", async () => {
    await using admin = await connectAdmin(home.platform, copy, home.task);
    await admin.command("REPLICAOF", "127.0.0.1", 2);
    try {
      const { port } = lead.server.wish;
      expect((await statusOf("copy")).problems).toContain(
        `its server follows 127.0.0.1:2 instead of 127.0.0.1:${port}`,
      );
      const distrusting = noting("lead", () => ({ distrusted: "its data are gone" }));
      const why = "its leader lead: its data are gone";
      expect(asFollower(await statusOf("copy", distrusting)).sync).toMatchObject({ state: "broken", why });
    } finally {
      await admin.command("REPLICAOF", "127.0.0.1", lead.server.wish.port);
    }
  });

  it("is broken once a command of the leader failed at the follower, whose link and offsets look well", async () => {
    await make(home, "apart");
    const { record } = await follows(home, { name: "apart", leader: "lead" });
    await eventually("it is noted as in sync", async () => asFollower(await statusOf("apart")).inSyncSince);
    await using admin = await connectAdmin(home.platform, record, home.task);
    await admin.command("CONFIG", "SET", "replica-read-only", "no");
    await admin.command("RPUSH", "count", "not a number");
    await admin.command("CONFIG", "SET", "replica-read-only", "yes");
    await run(lead, "INCR", "count");
    const status = await eventually("it is noted as apart", async () => {
      const seen = await statusOf("apart");
      return asFollower(seen).sync.state === "broken" && seen;
    });
    expect(asFollower(status).link).toBe("up");
    expect(status.problems).toEqual(["commands of the leader failed here, so the two differ"]);
    await follows(home, { name: "apart", leader: "lead", position: "promoted" });
  });

  it("is there although the leader doesn't answer", async () => {
    const pid = await home.serverPid("lead");
    process.kill(pid, "SIGSTOP");
    try {
      // Its own server answers long before a command to the other would be given up.
      const task = { ...home.task, signal: AbortSignal.timeout(6_000) };
      const status = await inspect(home.platform, "copy", task);
      expect(status).toMatchObject({
        server: { state: "running" },
        replication: { leader: { addon: "lead" } },
      });
      expect(status?.replication).not.toHaveProperty("sync.lagBytes");
    } finally {
      process.kill(pid, "SIGCONT");
    }
  });
});

describe("the status of a follower of any Redis", () => {
  it("tells each step of its sync, then its lag, and in the end why the leader is away", async () => {
    await using leader = await startRedisServer({
      args: [
        ...["--requirepass", "pw", "--databases", "1", "--enable-debug-command", "yes"],
        // What is populated could be compressed to next to nothing.
        ...["--repl-diskless-sync-delay", "20", "--rdbcompression", "no"],
      ],
    });
    const client = leader.connect({ password: "pw" });
    await client.call("DEBUG", "POPULATE", "5000", "key", "1000");
    await using proxy = await startFaultProxy(leader.port);
    proxy.set({ fromServer: { delayMs: 20 } });
    await make(home, "far");
    const address = { kind: "external", host: "127.0.0.1", port: proxy.port, password: "pw" } as const;
    const following = follows(home, { name: "far", leader: address });
    const states = new Set<string>();
    const becomes = (state: string) =>
      eventually(`it is ${state}`, async () => {
        const seen = await statusOf("far");
        if (seen.replication.role === "leader") return false;
        states.add(`${seen.health} ${seen.replication.link} ${seen.replication.sync.state}`);
        return seen.replication.sync.state === state;
      });
    await becomes("waiting");
    await client.config("SET", "repl-diskless-sync-delay", "0");
    await becomes("syncing");
    expect([...states]).toEqual(expect.arrayContaining(["syncing up waiting", "syncing up syncing"]));
    proxy.set({});
    await following;
    expect(await statusOf("far")).toMatchObject({
      health: "healthy",
      replication: {
        leader: { host: "127.0.0.1", port: proxy.port },
        sync: { state: "synced", lagBytes: 0, lagSeconds: expect.any(Number) as number },
      },
    });
    await leader.stop();
    const status = await eventually("the link is down", async () => {
      const seen = await statusOf("far");
      return asFollower(seen).link === "down" && seen;
    });
    expect(asFollower(status).sync).toMatchObject({ state: "connecting", why: expect.any(String) as string });
    expect(status.health).toBe("degraded");
    expect(status.problems.join()).toMatch(/it has no link to its leader: /);
    const mistrusts = "the leader came back with 0 keys";
    const mistrusting = noting("far", () => ({ mistrusts }));
    expect(asFollower(await statusOf("far", mistrusting)).sync).toMatchObject({
      ...{ state: "broken", why: mistrusts },
    });
    expect(JSON.stringify(status)).not.toContain('"pw"');
  });
});

describe("the status of one that follows no longer", () => {
  it("says that it was promoted, and its leader's says nothing of it any more", async () => {
    await make(home, "once");
    await follows(home, { name: "once", leader: "lead" });
    await follows(home, { name: "once", leader: "lead", position: "promoted" });
    expect((await statusOf("once")).replication).toEqual({
      role: "leader",
      position: "promoted",
      followers: [],
    });
    expect((await statusOf("lead")).replication).toMatchObject({ followers: [{ addon: "copy" }] });
  });

  it("is broken where its leader is gone for ever", async () => {
    await make(home, "short", { deletion: { finalBackup: false } });
    await make(home, "left");
    await follows(home, { name: "left", leader: "short" });
    await remove(home.platform, { name: "short" }, home.task);
    const status = await statusOf("left");
    expect(asFollower(status)).toMatchObject({
      leader: { addon: "short" },
      sync: { state: "broken", why: "the add-on short that it followed is gone" },
    });
    expect(status.health).toBe("degraded");
  });
});
