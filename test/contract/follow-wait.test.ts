import { expect, test } from "vitest";
import type { AddonRecord } from "../../provider/core/facets";
import type { Progress, Task } from "../../provider/core/task";
import { connectAdmin } from "../../provider/operations/connect-admin";
import { replicate } from "../../provider/operations/replicate";
import type { Placement } from "../../provider/platforms/contract";
import { creates, eventually, makeTestHome, type TestHome } from "../support/data-home";
import { startFaultProxy } from "../support/fault-proxy";
import { follows } from "../support/follow";
import { startRedisServer, type RedisServer } from "../support/redis-server";
import { agentLog, make, run } from "./agent-support";

const KEYS = 3_000;
const at = (port: number) => ({ kind: "external", host: "127.0.0.1", port, password: "" }) as const;

function fullLeader(): Promise<RedisServer> {
  const args = ["--databases", "1", "--rdbcompression", "no", "--enable-debug-command", "local"];
  return startRedisServer({ args });
}

/** Each key that it loads takes it a millisecond. */
async function slowToLoad(home: TestHome, record: AddonRecord): Promise<void> {
  await using server = await connectAdmin(home.platform, record, home.task);
  await server.command("CONFIG", "SET", "key-load-delay", 1_000);
}

/** What an update does that is interrupted as soon as it says this. */
async function interruptedAt(home: TestHome, port: number, moment: RegExp): Promise<void> {
  const interruption = new AbortController();
  const reason = new Error("interrupted");
  const task: Task = {
    ...home.task,
    signal: interruption.signal,
    progress: ({ message }: Progress) => {
      if (moment.test(message)) interruption.abort(reason);
    },
  };
  const claim = creates("f1");
  const request = { name: "copy", claim, wish: at(port), given: [], replaceData: false, deadlineMs: 60_000 };
  await expect(replicate(home.platform, request, task)).rejects.toBe(reason);
}

test("an update that is interrupted again and again in the middle of a sync is gone on with by the next one", async () => {
  await using home = await makeTestHome();
  await using leader = await fullLeader();
  await leader.client.call("DEBUG", "POPULATE", KEYS, "key", 4096);
  await using link = await startFaultProxy(leader.port);
  const { record } = await make(home, "copy");
  await interruptedAt(home, link.port, /checking the leader/);
  await slowToLoad(home, record);
  link.set({ fromServer: { delayMs: 25 } });
  await interruptedAt(home, link.port, /receiving the leader's snapshot/);
  link.set({});
  await interruptedAt(home, link.port, /loading the data/);
  await follows(home, { name: "copy", leader: at(link.port) });
  expect(await run(record, "DBSIZE")).toBe(KEYS);
  expect(await leader.client.info("stats"), "what had arrived was not thrown away").toContain(
    "sync_full:1\r",
  );
});

test("since when a follower is in sync is noted, and when it last was; a link that comes back at once changes nothing", async () => {
  await using home = await makeTestHome();
  await using leader = await fullLeader();
  await using link = await startFaultProxy(leader.port);
  const { record } = await make(home, "copy");
  const noted = (state: NonNullable<Placement["sync"]>["state"], than = "") =>
    eventually(`it is ${state}`, async () => {
      const sync = (await home.platform.placement("copy"))?.sync;
      return sync?.state === state && sync.since >= than && sync.since;
    });
  const beginning = new Date().toISOString();
  expect((await home.platform.placement("copy"))?.sync).toBeUndefined();
  await follows(home, { name: "copy", leader: at(link.port) });
  const first = await noted("synced", beginning);

  link.resetAll();
  await leader.client.set("afterwards", "x");
  await eventually("the link is back", async () => (await run(record, "GET", "afterwards")) === "x");
  expect(await noted("synced")).toBe(first);

  link.set({ refuse: true });
  link.resetAll();
  const last = await noted("behind", first);
  // What an agent knows of it, the next one knows.
  process.kill(await home.agentPid(), "SIGKILL");
  await make(home, "other");
  expect(await noted("behind")).toBe(last);
  link.set({});
  const again = await noted("synced");
  expect(again > last, `${again} after ${last}`).toBe(true);

  // Of another leader nothing was noted yet.
  await using another = await fullLeader();
  const beginsAnew = new Date().toISOString();
  await follows(home, { name: "copy", leader: at(another.port), replaceData: true });
  await noted("synced", beginsAnew);
});

test("a follower of an add-on of the same data home is noted, too", async () => {
  await using home = await makeTestHome();
  await make(home, "lead");
  await make(home, "copy");
  await follows(home, { name: "copy", leader: "lead" });
  await eventually(
    "it is noted",
    async () => (await home.platform.placement("copy"))?.sync?.state === "synced",
  );
  expect((await home.platform.placement("lead"))?.sync).toBeUndefined();
});

test("an update doesn't wait for data that are not taken until somebody says so", async () => {
  await using home = await makeTestHome();
  await using leader = await fullLeader();
  await leader.client.call("DEBUG", "POPULATE", KEYS);
  const { record } = await make(home, "copy");
  const { port } = leader;
  await follows(home, { name: "copy", leader: at(port) });
  await eventually("its link is guarded", async () =>
    (await agentLog(home)).includes("won't follow the leader"),
  );
  await leader.stop();
  // It comes back, and nothing that it had.
  await using _ = await startRedisServer({ port, args: ["--databases", "1"] });
  await expect(follows(home, { name: "copy", leader: at(port) })).rejects.toMatchObject({
    code: "leader-distrusted",
    cause: expect.stringMatching(/came back with 0 keys/) as unknown,
    hint: expect.stringContaining("redis-addon follower resync copy") as unknown,
  });
  expect(await run(record, "DBSIZE")).toBe(KEYS);
});
