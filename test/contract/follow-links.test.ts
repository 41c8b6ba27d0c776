import { randomBytes } from "node:crypto";
import { describe, expect, test } from "vitest";
import type { SyncStatus } from "../../provider/core/status";
import { parseInfo } from "../../provider/redis/info";
import { digest } from "./backup-support";
import { startFaultProxy, type FaultProxy } from "../support/fault-proxy";
import { digestOf, follow, synced } from "../support/linked";
import { eventually, startAddon, testRecord, type LocalAddon } from "../support/local-addon";
import { serverOf } from "../support/matrix";
import type { RedisServer } from "../support/redis-server";
import { addressOf, DEBUG_LINES, ROOMY, startStockLeader } from "../support/stock-leader";
import { watchSync } from "../support/watch-sync";

const MIB = 1024 ** 2;

interface Linked extends AsyncDisposable {
  readonly source: RedisServer;
  readonly proxy: FaultProxy;
  readonly addon: LocalAddon;
}

/** A leader and an add-on that follows it through a proxy, in sync. */
async function linked(args: readonly string[] = []): Promise<Linked> {
  await using stack = new AsyncDisposableStack();
  const source = stack.use(await startStockLeader(serverOf("Redis 7.0"), { args: [...QUICK, ...args] }));
  const proxy = stack.use(await startFaultProxy(source.port));
  const addon = stack.use(await startAddon(testRecord({ plan: ROOMY }), undefined, { lines: DEBUG_LINES }));
  await source.client.set("old", "1");
  await follow(addon, addressOf(proxy));
  await synced(addon, addressOf(proxy));
  const moved = stack.move();
  return { source, proxy, addon, [Symbol.asyncDispose]: () => moved.disposeAsync() };
}

/** A leader that is silent for no longer than a second. */
const QUICK = ["--repl-ping-replica-period", "1"];
const SMALL_BACKLOG = ["--repl-backlog-size", "16kb"];

async function statsOf(source: RedisServer): Promise<{ full: number; partial: number }> {
  const stats = parseInfo(await source.client.info("stats"));
  return { full: Number(stats.get("sync_full")), partial: Number(stats.get("sync_partial_ok")) };
}

/** Some MiB that no compression makes smaller: a snapshot of several pieces on the wire. */
async function grow(source: RedisServer, mebibytes = 8): Promise<void> {
  for (let i = 0; i < mebibytes; i++) await source.client.set(`grown:${i}`, randomBytes(MIB));
}

function cutNow(proxy: FaultProxy): void {
  proxy.set({ refuse: true });
  proxy.resetAll();
}

async function linkIs(addon: LocalAddon, wanted: "up" | "down"): Promise<void> {
  const admin = await addon.admin();
  await eventually(
    async () => (await admin.info()).get("master_link_status"),
    (status) => status === wanted,
    30_000,
  );
}

async function expectEqual({ source, proxy, addon }: Linked): Promise<void> {
  await synced(addon, addressOf(proxy));
  const truth = await digest(source.client);
  await eventually(
    () => digestOf(addon),
    (found) => found === truth,
  );
}

describe.each([
  ["from memory", "yes"],
  ["from the leader's disk", "no"],
])("a snapshot %s", (_, diskless) => {
  const args = [...SMALL_BACKLOG, "--repl-diskless-sync", diskless];

  test("that is cut anywhere leaves the follower its data from before, until a whole one comes", async () => {
    await using link = await linked(args);
    const { source, proxy, addon } = link;
    await using watch = await watchSync(source, addon);
    cutNow(proxy);
    await linkIs(addon, "down");
    await grow(source);
    const user = await addon.user();
    for (const [index, bytes] of [100, 70_000, 3 * MIB, 7.9 * MIB].entries()) {
      const before = proxy.cuts();
      proxy.set({ fromServer: { cutAfterBytes: Math.floor(bytes), cut: index % 2 ? "reset" : "end" } });
      await eventually(
        async () => proxy.cuts(),
        (cuts) => cuts > before + 1,
      );
      expect(await user.command("GET", "old")).toBe("1");
      expect(await user.command("DBSIZE")).toBe(1);
    }
    proxy.set({});
    await expectEqual(link);
    await watch.expectTruth();
    // What is received after a full sync is as durable as ever.
    await addon.server.kill("SIGKILL");
    await addon.restart(addon.record, undefined);
    expect(await digestOf(addon)).toBe(await digest(source.client));
  });

  test("that comes slowly shows how far it is, and ends in sync", async () => {
    await using link = await linked(args);
    const { source, proxy, addon } = link;
    await using watch = await watchSync(source, addon);
    cutNow(proxy);
    await linkIs(addon, "down");
    await grow(source);
    proxy.set({ fromServer: { delayMs: 5 } });
    await watch.until(({ state }) => state === "syncing");
    await expectEqual(link);
    const syncing = watch.seen().filter((status) => status.state === "syncing" && !status.catchingUp);
    const bytes = syncing.map((status) => ("doneBytes" in status ? status.doneBytes : 0));
    expect(bytes.length).toBeGreaterThan(3);
    expect(bytes).toEqual([...bytes].sort((a, b) => a - b));
    for (const status of syncing)
      if (diskless === "no") expect(status).toMatchObject({ totalBytes: expect.any(Number) as unknown });
    await watch.expectTruth();
  });
});

describe("a link that was lost", () => {
  test("goes on where it was while the leader remembers what was written since", async () => {
    await using link = await linked();
    const { source, proxy, addon } = link;
    await using watch = await watchSync(source, addon);
    const before = await statsOf(source);
    for (let round = 1; round <= 3; round++) {
      cutNow(proxy);
      await linkIs(addon, "down");
      for (let i = 0; i < 50; i++) await source.client.set(`round:${round}:${i}`, "x".repeat(1_000));
      proxy.set({});
      await linkIs(addon, "up");
      expect(await statsOf(source)).toEqual({ full: before.full, partial: before.partial + round });
    }
    await expectEqual(link);
    await watch.expectTruth();
  });

  test("takes a whole snapshot when the leader has forgotten that, and ends in sync all the same", async () => {
    await using link = await linked(SMALL_BACKLOG);
    const { source, proxy, addon } = link;
    await using watch = await watchSync(source, addon);
    const before = await statsOf(source);
    cutNow(proxy);
    await linkIs(addon, "down");
    await grow(source, 2);
    proxy.set({});
    await linkIs(addon, "up");
    expect(await statsOf(source)).toEqual({ full: before.full + 1, partial: before.partial });
    await expectEqual(link);
    await watch.expectTruth();
  });

  test("by a stall longer than its time-out is made anew, and shown as lost meanwhile", async () => {
    await using link = await linked();
    const { source, proxy, addon } = link;
    await (await addon.admin()).command("CONFIG", "SET", "repl-timeout", 3);
    await using watch = await watchSync(source, addon);
    const before = await statsOf(source);
    proxy.set({ fromServer: { stall: true } });
    await source.client.set("unseen", "1");
    await watch.until(({ state }) => state === "connecting");
    proxy.set({});
    await linkIs(addon, "up");
    await expectEqual(link);
    const after = await statsOf(source);
    expect(after.full).toBe(before.full);
    expect(after.partial).toBeGreaterThan(before.partial);
    await watch.expectTruth();
  });

  test("isn't called in sync while more than a MiB is missing, though the link is up", async () => {
    await using link = await linked();
    const { source, proxy, addon } = link;
    await using watch = await watchSync(source, addon);
    proxy.set({ fromServer: { stall: true } });
    await grow(source, 2);
    const late = await watch.until(({ state }) => state !== "synced");
    expect(late).toMatchObject({ state: "syncing", catchingUp: true });
    expect(late.lagBytes).toBeGreaterThan(MIB);
    proxy.set({});
    await expectEqual(link);
    await watch.expectTruth();
  });
});

test("a link that is reset at random bytes, again and again under writes, ends in sync with equal data", async () => {
  await using link = await linked(["--repl-backlog-size", "256kb"]);
  const { source, proxy, addon } = link;
  await using watch = await watchSync(source, addon);
  let running = true;
  const writing = (async () => {
    for (let i = 0; running; i++) {
      await source.client
        .multi()
        .rpush("ledger", i)
        .set(`key:${i % 500}`, randomBytes(2_000))
        .exec();
      await source.client.eval("redis.call('INCR', 'scripted')", 0);
    }
  })();
  for (let round = 0; round < 12; round++) {
    const before = proxy.cuts();
    const cutAfterBytes = Math.floor(10 ** (1.5 + Math.random() * 4.5));
    proxy.set({ fromServer: { cutAfterBytes, cut: round % 2 ? "end" : "reset" } });
    proxy.resetAll();
    await eventually(
      async () => proxy.cuts(),
      (cuts) => cuts > before,
    );
  }
  proxy.set({});
  running = false;
  await writing;
  await expectEqual(link);
  await watch.expectTruth();
  const states = new Set(watch.seen().map(({ state }) => state));
  expect(states).toContain("connecting" satisfies SyncStatus["state"]);
});
