import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { expect } from "vitest";
import { takeBackup } from "../../provider/backup/take-backup";
import { digest, task, temporaryStore, unpacked } from "../contract/backup-support";
import { keepLedgers } from "./ledger";
import { type RedisServer, startRedisServer, until } from "./redis-server";
import { commandsOf, followAsReplica, type StreamingReplica } from "./streaming-replica";

/** How the leader prepares the snapshot. */
export type Way = "from memory" | "from its disk";

export const LEDGERS = ["ledger:a", "ledger:b"];
/** Before the backup is begun, and after it is done. */
const WRITES = 20_000;

/**
 * Takes a backup of a server while ledgers are written in it, and proves that the archive holds exactly what the server
 * had at the manifest's offset: every write whose bytes in the replication stream end there or before, and no other.
 * What the server had is known by a replica of this test: its snapshot, and each byte since. Returns the writes a second.
 */
export async function proveExactness(
  server: { readonly name: string; readonly path: string },
  way: Way,
): Promise<number> {
  const isOld = server.name.startsWith("Redis 6.2");
  // 6.2 has no such setting, and its DEBUG is always there.
  const debug = isOld ? [] : ["--enable-debug-command", "yes"];
  const executable = server.path;
  await using source = await startRedisServer({
    executable,
    args: [
      ...debug,
      ...["--repl-diskless-sync", "yes", "--repl-diskless-sync-delay", "0"],
      // The replica of this test takes what it gets, but at times not at once.
      ...["--client-output-buffer-limit", "replica", "0", "0", "0"],
      // As ours are.
      ...(way === "from its disk" ? ["--save", ""] : []),
    ],
  });
  await fill(source.client);
  await using replica = await followAsReplica(source.port);
  await using ledgers = keepLedgers(source.port, LEDGERS);
  await using opened = await temporaryStore();

  await until("a ledger of some length", () => ledgers.written() > WRITES);
  const { manifest } = await takeBackup(
    {
      addon: { name: "cache", catalogKey: "cache-12345678" },
      source: {
        host: "127.0.0.1",
        port: source.port,
        ...(way === "from its disk" ? { dataFolder: source.dir } : {}),
      },
      reason: "demand",
      slot: Date.parse("2026-05-01T03:00:00Z"),
      attempt: "aaaa",
      store: opened.store,
    },
    task(),
  );
  const enough = ledgers.written() + WRITES;
  await until("the ledger to go on after it", () => ledgers.written() > enough);
  const perSecond = await ledgers.stop();
  const { offset } = manifest.replication;
  await until("the replica to have caught up", () => replica.offset + replica.stream().length > offset);

  const expected = lengthsAt(replica, offset);
  const truth = await digestAt(replica, offset, { executable, args: debug });
  const key = `cache-12345678/${manifest.archive.name}`;
  // The archive's redis.conf is for 7.0 and newer: see its README.
  for (const options of isOld ? [{}] : [{}, { config: "./redis.conf" }]) {
    await using folder = await unpacked(opened.store, key);
    await using copy = await startRedisServer({ executable, dir: folder.path, args: debug, ...options });
    for (const [ledger, length] of expected) {
      const entries = await copy.client.lrange(ledger, 0, -1);
      expect(entries.length).toBe(length);
      expect(entries.every((entry, i) => entry === String(i + 1))).toBe(true);
    }
    expect(await digest(copy.client)).toBe(truth);
  }
  return perSecond;
}

/** Enough of each type that a snapshot takes its time. */
async function fill(client: Redis): Promise<void> {
  await client.call("DEBUG", "POPULATE", 30_000, "key", 200);
  await client.hset("hash", Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`field:${i}`, i])));
  await client.zadd("zset", 1, "a", 2.5, "b");
  await client.xadd("stream", "1-1", "field", "value");
  await client.set("expiring", "x", "EX", 36_000);
}

/** How long each ledger was at the offset, by the commands that end there or before. */
export function lengthsAt(replica: StreamingReplica, offset: number): ReadonlyMap<string, number> {
  const lengths = new Map(LEDGERS.map((ledger) => [ledger, 0]));
  const ends = new Set<number>();
  let after = 0;
  for (const { words, end } of commandsOf(replica.stream())) {
    const [name = "", ledger = "", entry] = words;
    const at = replica.offset + end;
    ends.add(at);
    const before = lengths.get(ledger);
    if (name.toUpperCase() !== "RPUSH" || before === undefined) continue;
    if (at > offset) {
      after++;
      continue;
    }
    // The stream itself has no gap.
    expect(entry).toBe(String(before + 1));
    lengths.set(ledger, before + 1);
  }
  expect(ends).toContain(offset);
  // Writes went on at either side of it: the proof is none for a server at rest.
  for (const length of lengths.values()) expect(length).toBeGreaterThan(0);
  expect(after).toBeGreaterThan(0);
  return lengths;
}

/** The digest of what the leader had at the offset: the replica's snapshot, and the commands since, played again. */
export async function digestAt(
  replica: StreamingReplica,
  offset: number,
  options: { readonly executable: string; readonly args: readonly string[] },
): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), "replayed-"));
  try {
    await writeFile(join(dir, "dump.rdb"), replica.snapshot);
    await using server = await startRedisServer({ ...options, dir });
    await replay(server, replica.stream().subarray(0, offset - replica.offset));
    return await digest(server.client);
  } finally {
    await rm(dir, { recursive: true });
  }
}

async function replay({ port }: RedisServer, commands: Buffer): Promise<void> {
  const socket = connect({ port, host: "127.0.0.1" });
  await once(socket, "connect");
  let said = "";
  socket.on("data", (chunk: Buffer) => (said = (said + chunk.toString("latin1")).slice(-10)));
  socket.write(commands);
  socket.write("PING\r\n");
  await until("all commands to be played", () => said.endsWith("+PONG\r\n"));
  socket.destroy();
}
