import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { promote } from "../support/promote";
import { startFaultProxy } from "../support/fault-proxy";
import { keepLedgers } from "../support/ledger";
import { digestOf, follow, startAddonOn, synced } from "../support/linked";
import { eventually, startAddon, testRecord, testTask, type LocalAddon } from "../support/local-addon";
import { serverOf } from "../support/matrix";
import { digestAt, LEDGERS, lengthsAt } from "../support/prove-exactness";
import { until, type RedisServer } from "../support/redis-server";
import { addressOf, DEBUG_LINES, debugOf, ROOMY, startStockLeader } from "../support/stock-leader";
import { followAsReplica, type StreamingReplica } from "../support/streaming-replica";
import { describeWith, type Tool } from "../support/tools";
import { supported } from "./agent-support";

const everyday = serverOf("Redis 7.0");
const DEADLINE = { deadlineMs: 30_000 };
/** Before the promotion, and after it. */
const WRITES = 20_000;

/** A leader with data, whose every later byte a replica of this test keeps. */
async function observed(server: Tool) {
  await using stack = new AsyncDisposableStack();
  const limits = ["--client-output-buffer-limit", "replica", "0", "0", "0"];
  const source = stack.use(await startStockLeader(server, { args: ["--save", "", ...limits] }));
  await source.client.call("DEBUG", "POPULATE", 30_000, "key", 200);
  await source.client.set("expiring", "x", "EX", 36_000);
  const replica = stack.use(await followAsReplica(source.port));
  const moved = stack.move();
  return { source, replica, [Symbol.asyncDispose]: () => moved.disposeAsync() };
}

/** That an add-on, started again after a kill -9, holds what its leader held at that offset, and no more. */
async function expectExactly(
  addon: LocalAddon,
  { finalOffset, replica, server }: { finalOffset: number; replica: StreamingReplica; server: Tool },
): Promise<void> {
  await until("the history up to there", () => replica.end() > finalOffset);
  const user = await addon.user();
  for (const [ledger, length] of lengthsAt(replica, finalOffset)) {
    const entries = (await user.command("LRANGE", ledger, 0, -1)) as string[];
    expect(entries.length).toBe(length);
    expect(entries.every((entry, i) => entry === String(i + 1))).toBe(true);
  }
  const truth = await digestAt(replica, finalOffset, { executable: server.path, args: debugOf(server.name) });
  expect(await digestOf(addon)).toBe(truth);
}

async function killAndStart(addon: LocalAddon): Promise<void> {
  await addon.server.kill("SIGKILL");
  await addon.restart(addon.record, undefined);
}

async function offsets(addon: LocalAddon): Promise<{ received: number; applied: number }> {
  const info = await (await addon.admin()).info();
  return {
    received: Number(info.get("slave_read_repl_offset")),
    applied: Number(info.get("slave_repl_offset")),
  };
}

for (const server of supported)
  describeWith([server], `${server.name}, promoted`, () => {
    test("while its leader takes 20,000 writes a second, keeps exactly what it had received through a kill -9 right after", async () => {
      await using leader = await observed(server);
      const { source, replica } = leader;
      await using addon = await startAddonOn(server);
      await using ledgers = keepLedgers(source.port, LEDGERS);
      await follow(addon, addressOf(source));
      await synced(addon, addressOf(source));
      const before = await source.client.info("stats");
      await until("a ledger of some length", () => ledgers.written() > WRITES);
      const admin = await addon.admin();
      const runId = (await admin.info()).get("run_id");

      const { finalOffset } = await promote(admin, testTask(), DEADLINE);
      expect((await admin.info()).get("run_id")).toBe(runId);
      await addon.server.kill("SIGKILL");
      const enough = ledgers.written() + WRITES;
      await until("the ledger to go on after it", () => ledgers.written() > enough);
      expect(await ledgers.stop()).toBeGreaterThan(20_000);
      await addon.restart(addon.record, undefined);
      await expectExactly(addon, { finalOffset, replica, server });
      // Nothing was asked of the old leader.
      const fullSyncs = /sync_full:\d+/;
      expect(fullSyncs.exec(await source.client.info("stats"))?.[0]).toBe(fullSyncs.exec(before)?.[0]);
      expect(await source.client.info("replication")).toContain("role:master");
    });
  });

describeWith([everyday], "a promotion", () => {
  test("of a follower whose link was cut while much was on its way, and whose leader died, keeps exactly what had come", async () => {
    await using leader = await observed(everyday);
    const { source, replica } = leader;
    await using proxy = await startFaultProxy(source.port);
    await using addon = await startAddonOn(everyday);
    await using ledgers = keepLedgers(source.port, LEDGERS);
    await follow(addon, addressOf(proxy));
    await synced(addon, addressOf(proxy));
    await until("a ledger of some length", () => ledgers.written() > WRITES);
    proxy.set({ refuse: true });
    proxy.resetAll();
    const enough = ledgers.written() + WRITES;
    await until("the ledger to go on after it", () => ledgers.written() > enough);
    await ledgers.stop();
    const { received, applied } = await offsets(addon);
    expect(applied).toBe(received);
    await until("the history up to there", () => replica.end() > applied);
    await source.stop("SIGKILL");

    const { finalOffset } = await promote(await addon.admin(), testTask(), DEADLINE);
    expect(finalOffset).toBe(applied);
    await killAndStart(addon);
    await expectExactly(addon, { finalOffset, replica, server: everyday });
  });

  test.each(["cut", "stalled"] as const)(
    "of a follower whose link is %s in the middle of a command leaves that command out, and keeps all before it",
    async (how) => {
      await using leader = await observed(everyday);
      const { source, replica } = leader;
      await using proxy = await startFaultProxy(source.port);
      await using addon = await startAddonOn(everyday);
      await follow(addon, addressOf(proxy));
      await synced(addon, addressOf(proxy));
      for (let i = 1; i <= 1_000; i++) for (const ledger of LEDGERS) void source.client.rpush(ledger, i);
      await source.client.rpush("ledger:c", 1);
      await until("all of it to have come", async () => (await offsets(addon)).applied >= replica.end());
      proxy.set({ fromServer: { delayMs: 5 } });
      await source.client.multi().set("half", "x").set("big", randomBytes(16_000_000)).exec();
      const { applied } = await eventually(
        () => offsets(addon),
        (seen) => seen.received - seen.applied > 500_000,
      );
      proxy.set(how === "stalled" ? { fromServer: { stall: true } } : { refuse: true });
      if (how === "cut") proxy.resetAll();
      // So that the proof is one of a server that went on.
      for (const ledger of LEDGERS) await source.client.rpush(ledger, 1_001);

      const { finalOffset } = await promote(await addon.admin(), testTask(), DEADLINE);
      expect(finalOffset).toBe(applied);
      await killAndStart(addon);
      await expectExactly(addon, { finalOffset, replica, server: everyday });
      expect(await (await addon.user()).command("EXISTS", "half", "big")).toBe(0);
    },
  );

  test("of a follower whose users hold its leader's commands up applies them all first", async () => {
    await using source = await startStockLeader(everyday);
    const record = testRecord({ access: "advanced", plan: ROOMY });
    await using addon = await startAddon(record, undefined, { lines: DEBUG_LINES });
    await follow(addon, addressOf(source));
    await synced(addon, addressOf(source));
    await (await addon.user()).command("CLIENT", "PAUSE", 60_000, "WRITE");
    for (let i = 0; i < 100; i++) await source.client.set(`key:${i}`, i);
    await eventually(
      () => offsets(addon),
      ({ received, applied }) => received > applied + 1_000,
    );
    const { finalOffset } = await promote(await addon.admin(), testTask(), DEADLINE);
    expect(await (await addon.user()).command("DBSIZE")).toBe(100);
    expect(finalOffset).toBeGreaterThanOrEqual(Number(await offsetOf(source)) - 100);
  });

  test("lets nobody write before it, keeps every connection, and every write after it", async () => {
    await using source = await startStockLeader(everyday);
    // By default what users write while the disk is slow waits for it in memory.
    await using addon = await startAddon(testRecord({ plan: ROOMY, persistence: "always" }));
    await follow(addon, addressOf(source));
    await synced(addon, addressOf(source));
    const user = await addon.user();
    const written: number[] = [];
    let refused = 0;
    let running = true;
    const writing = (async () => {
      for (let i = 0; running; i++)
        await user.command("SET", `mine:${i}`, i).then(
          () => written.push(i),
          () => refused++,
        );
    })();
    await until("some refusals", () => refused > 100);
    expect(written).toEqual([]);
    await promote(await addon.admin(), testTask(), DEADLINE);
    const enough = written.length + 100;
    await until("some writes", () => written.length > enough);
    running = false;
    await writing;
    await killAndStart(addon);
    const after = await addon.user();
    expect(await after.command("EXISTS", ...written.map((i) => `mine:${i}`))).toBe(written.length);
    expect(await after.command("DBSIZE")).toBe(written.length);
    expect(await source.client.dbsize(), "nothing reached the old leader").toBe(0);
  });
});

async function offsetOf(source: RedisServer): Promise<string | undefined> {
  return /master_repl_offset:(\d+)/.exec(await source.client.info("replication"))?.[1];
}
