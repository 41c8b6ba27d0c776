import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { addonWatch, type AddonWatch } from "../../provider/console/watch/addon-watch";
import type { AddonRecord } from "../../provider/core/facets";
import type { AddonStatus } from "../../provider/core/status";
import { planOf } from "../../provider/core/plans";
import { connectAdmin } from "../../provider/operations/connect-admin";
import { remove } from "../../provider/operations/remove";
import { restart } from "../../provider/operations/restart";
import { systemClock } from "../../provider/system/clock";
import { startCrowd } from "../support/crowd";
import { eventually, makeTestHome, type TestHome } from "../support/data-home";
import { change, make, run } from "./agent-support";

let home: TestHome;

beforeAll(async () => {
  home = await makeTestHome();
  await make(home, "cache");
  await make(home, "other");
});
afterAll(() => home[Symbol.asyncDispose]());

describe("the watch over the add-ons of a real data home", () => {
  it("keeps one connection to each server while it goes on, and closes it at the end", async () => {
    const before = await connections("cache");
    {
      using watched = watching();
      await running(watched.watch, "cache");
      expect(await connections("cache")).toBe(before + 1);
      for (let look = 0; look < 5; look++) await watched.watch.one("cache", home.task);
      expect(await connections("cache")).toBe(before + 1);
    }
    await eventually("it is closed", async () => (await connections("cache")) === before);
  });

  it("sees a server again that was restarted, and one whose user has another password", async () => {
    using watched = watching();
    const { watch } = watched;
    const { pid } = await running(watch, "cache");
    await restart(home.platform, "cache", home.task);
    await seen(watch, "cache", ({ server }) => server.state === "running" && server.pid !== pid);
    const { record } = await change(home, "cache", { password: "another password" });
    expect(record.credentials.password).toBe("another password");
    await running(watch, "cache");
    expect((await watch.one("cache", home.task))?.server.state).toBe("running");
  });

  it("shows the others at once where a server hangs, goes on looking at them, and says what that one does", async () => {
    const pid = await home.serverPid("other");
    process.kill(pid, "SIGSTOP");
    try {
      using watched = watching();
      const { watch } = watched;
      const first = await watch.all(home.task);
      expect(first.addons.map(({ name }) => name)).toEqual(["cache"]);
      expect(first.pending).toEqual(["other"]);
      await seen(watch, "other", ({ server }) => server.state === "unreachable");
      const { server } = await find(watch, "other");
      expect(server).toMatchObject({ why: expect.stringContaining("did not answer within") as string });
      await run(await recordOf("cache"), "SET", "new", "1");
      await seen(watch, "cache", ({ server }) => server.state === "running" && server.keys === 1);
      process.kill(pid, "SIGCONT");
      await running(watch, "other");
    } finally {
      process.kill(pid, "SIGCONT");
    }
  });

  it("sees an add-on that is made, and no longer one that is removed", async () => {
    using watched = watching();
    const { watch } = watched;
    await running(watch, "cache");
    await make(home, "passing");
    await running(watch, "passing");
    expect(watch.samples("passing", 0).length).toBeGreaterThan(0);
    await remove(home.platform, { name: "passing" }, home.task);
    await eventually("it is gone", async () => {
      const { addons } = await watch.all(home.task);
      return addons.every(({ name }) => name !== "passing");
    });
    expect(watch.samples("passing", 0)).toEqual([]);
  });

  it("still sees a server of which users take all connections", async () => {
    const { server, credentials } = await recordOf("cache");
    const { port } = server.wish;
    const wanted = planOf(server.wish.plan).connections * 2;
    await using crowd = await startCrowd({ port, connections: wanted, password: credentials.password });
    await eventually("some are refused or closed", async () => {
      const { refused, closed } = await crowd.count();
      return refused + closed > 0;
    });
    using watched = watching();
    await running(watched.watch, "cache");
    expect((await watched.watch.one("cache", home.task))?.server.state).toBe("running");
  });
});

function watching(): Disposable & { readonly watch: AddonWatch } {
  const ended = new AbortController();
  const watch = addonWatch(home.platform, systemClock, ended.signal);
  return { watch, [Symbol.dispose]: () => ended.abort(new Error("the test ended")) };
}

async function find(watch: AddonWatch, name: string): Promise<AddonStatus> {
  return seen(watch, name, () => true);
}

/** As the watch shows it once that is so. */
function seen(watch: AddonWatch, name: string, isSo: (status: AddonStatus) => boolean): Promise<AddonStatus> {
  return eventually(`${name} is seen so`, async () => {
    const { addons } = await watch.all(home.task);
    const found = addons.find((status) => status.name === name);
    return found !== undefined && isSo(found) && found;
  });
}

async function running(watch: AddonWatch, name: string) {
  const { server } = await seen(watch, name, (status) => status.server.state === "running");
  if (server.state !== "running") throw new Error(`${name} does not run`);
  return server;
}

/** How many its server has, but for the one that asks. */
async function connections(name: string): Promise<number> {
  await using client = await connectAdmin(home.platform, await recordOf(name), home.task);
  const listed = String(await client.command("CLIENT", "LIST"));
  return listed.trim().split("\n").length - 1;
}

async function recordOf(name: string): Promise<AddonRecord> {
  const record = await home.platform.load(name);
  if (record === undefined) throw new Error(`there is no ${name}`);
  return record;
}
