import { randomInt } from "node:crypto";
import { expect, test } from "vitest";
import type { AddonRecord } from "../../provider/core/facets";
import { replicate, type Replicated } from "../../provider/operations/replicate";
import { connectRedis } from "../../provider/redis/client";
import { parseInfo } from "../../provider/redis/info";
import { systemClock } from "../../provider/system/clock";
import { make } from "../contract/agent-support";
import { digest } from "../contract/backup-support";
import { makeTestHome, type TestHome } from "../support/data-home";
import { startFaultProxy, type Faults } from "../support/fault-proxy";
import { keepLedgers } from "../support/ledger";
import { serverOf } from "../support/matrix";
import { LEDGERS, lengthsAt } from "../support/prove-exactness";
import { startRedisServer, until, type RedisServer } from "../support/redis-server";
import { debugOf, startStockLeader } from "../support/stock-leader";
import { connectUrl } from "../support/stack-user";
import { followAsReplica } from "../support/streaming-replica";
import { describeWith } from "../support/tools";
import { redisUrl } from "../../provider/core/uri";

const everyday = serverOf("Redis 7.0");
const PLAN = { memory: "3gb", connections: 100, databases: 16 } as const;
const DEADLINE_MS = 240_000;
const WRITES = 20_000;
/** Some 40,000 writes a second: a machine of two cores has other things to do. */
const PAUSE_MS = 20;
/** It gives up neither on a follower that is slower than its writers nor on a replica of this test, which says nothing. */
const PATIENT = [
  ...["--save", "", "--client-output-buffer-limit", "replica", "0", "0", "0"],
  ...["--repl-timeout", "600"],
];

/** What a RedisFollower of a program does, with the patience that much data takes. */
function replicated(home: TestHome, port: number, position?: "promoted"): Promise<Replicated> {
  const placed = position === undefined ? {} : { position };
  const wish = { kind: "external", host: "127.0.0.1", port, password: "", ...placed } as const;
  const claim = { kind: "create", token: "f1", caller: { project: "shop", stack: "dev" } } as const;
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const request = { name: "copy", claim, wish, given: [], replaceData: false, deadlineMs: DEADLINE_MS };
  return replicate(home.platform, request, {
    signal,
    clock: systemClock,
    progress: () => undefined,
  });
}

/** All data of an add-on that leads as one number: a follower of it that allows DEBUG tells. */
async function digestOfLeader({ server, credentials }: AddonRecord): Promise<string> {
  const leader = ["--replicaof", "127.0.0.1", String(server.wish.port), "--masterauth", credentials.password];
  await using copy = await startRedisServer({
    executable: everyday.path,
    args: [...debugOf(everyday.name), "--save", "", ...leader],
  });
  // Unlike the server's own, it doesn't mind that the server loads.
  const task = { signal: AbortSignal.timeout(DEADLINE_MS) };
  await using client = await connectRedis({ host: copy.host, port: copy.port, password: "" }, task);
  await until(
    "the copy to be whole",
    async () => (await client.info()).get("master_link_status") === "up",
    DEADLINE_MS,
  );
  return await digest(copy.client);
}

async function removeLedgers(source: RedisServer, record: AddonRecord): Promise<void> {
  await source.client.del(...LEDGERS);
  await using client = await connectUrl(urlOf(record));
  await client.command("DEL", ...LEDGERS);
}

/** That a list holds 1, 2, 3, … up to its length, and nothing else. */
async function expectLedger(record: AddonRecord, ledger: string, length: number): Promise<void> {
  await using client = await connectUrl(urlOf(record));
  expect(await client.command("LLEN", ledger)).toBe(length);
  const PIECE = 100_000;
  for (let from = 0; from < length; from += PIECE) {
    const entries = (await client.command(
      "LRANGE",
      ledger,
      String(from),
      String(from + PIECE - 1),
    )) as string[];
    const wrong = entries.findIndex((entry, i) => entry !== String(from + i + 1));
    expect(wrong, `${ledger} is out of order after ${from}`).toBe(-1);
  }
}

function urlOf({ server, credentials }: AddonRecord): string {
  return redisUrl({ host: "127.0.0.1", port: server.wish.port, password: credentials.password });
}

describeWith([everyday], "an add-on that an agent keeps", () => {
  test("follows a leader of a GiB under 20,000 writes a second, and is promoted with exactly what it received", async () => {
    // Values that stay as long on the wire as they are.
    const args = [...PATIENT, "--rdbcompression", "no"];
    await using source = await startStockLeader(everyday, { args });
    // DEBUG POPULATE tells no follower: who has followed before gets the ledgers alone.
    await using replica = await followAsReplica(source.port);
    await source.client.call("DEBUG", "POPULATE", 1_000_000, "key", 1_074);
    expect(Number(parseInfo(await source.client.info()).get("used_memory"))).toBeGreaterThan(1024 ** 3);
    await using home = await makeTestHome();
    await make(home, "copy", { plan: PLAN });

    await using ledgers = keepLedgers(source.port, LEDGERS, PAUSE_MS);
    await until("a ledger of some length", () => ledgers.written() > WRITES);
    await replicated(home, source.port);
    const during = ledgers.written();
    const { record, finalOffset = 0 } = await replicated(home, source.port, "promoted");
    await until("the ledger to go on after it", () => ledgers.written() > during + WRITES);
    expect(await ledgers.stop()).toBeGreaterThan(20_000);
    expect(finalOffset).toBeGreaterThan(0);

    await until("the history up to there", () => replica.end() > finalOffset);
    for (const [ledger, length] of lengthsAt(replica, finalOffset))
      await expectLedger(record, ledger, length);
    await removeLedgers(source, record);
    expect(await digestOfLeader(record)).toBe(await digest(source.client));
  });

  test("is in sync with equal data after 20 rounds of a link that is cut, slowed, stalled and reset under writes", async () => {
    await using source = await startStockLeader(everyday, {
      args: [...PATIENT, "--repl-ping-replica-period", "1"],
    });
    await source.client.call("DEBUG", "POPULATE", 50_000, "key", 500);
    await using proxy = await startFaultProxy(source.port);
    await using home = await makeTestHome();
    await make(home, "copy", { plan: PLAN });
    await replicated(home, proxy.port);

    await using ledgers = keepLedgers(source.port, LEDGERS, PAUSE_MS);
    const faults: readonly (() => Faults)[] = [
      () => ({ fromServer: { cutAfterBytes: randomInt(1, 300), cut: "reset" } }),
      () => ({ fromServer: { cutAfterBytes: randomInt(300, 20_000_000), cut: "end" } }),
      () => ({ fromServer: { delayMs: randomInt(1, 20) } }),
      () => ({ fromServer: { stall: true } }),
      () => ({ fromClient: { stall: true } }),
      () => ({ refuse: true }),
    ];
    for (let round = 0; round < 20; round++) {
      proxy.set(faults[round % faults.length]?.() ?? {});
      if (round % 3 !== 0) proxy.resetAll();
      const enough = ledgers.written() + randomInt(1_000, 60_000);
      await until("some writes while it lasts", () => ledgers.written() > enough);
      if (round % 4 === 0) proxy.set({});
    }
    proxy.set({});
    await replicated(home, proxy.port);
    expect(await ledgers.stop()).toBeGreaterThan(20_000);
    const written = await Promise.all(LEDGERS.map((ledger) => source.client.llen(ledger)));
    await replicated(home, proxy.port);
    await using status = await connectUrl(await urlOfHome(home));
    await until("the last writes to arrive", async () => {
      const found = await Promise.all(LEDGERS.map((ledger) => status.command("LLEN", ledger)));
      return String(found) === String(written);
    });
    const { record } = await replicated(home, proxy.port, "promoted");
    for (const [i, ledger] of LEDGERS.entries()) await expectLedger(record, ledger, written[i] ?? 0);
    await removeLedgers(source, record);
    expect(await digestOfLeader(record)).toBe(await digest(source.client));
  });
});

async function urlOfHome(home: TestHome): Promise<string> {
  const record = await home.platform.load("copy");
  if (record === undefined) throw new Error("there is no add-on");
  return urlOf(record);
}
