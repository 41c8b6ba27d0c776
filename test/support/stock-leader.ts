import type { Redis } from "ioredis";
import type { LeaderAddress } from "../../provider/core/render";
import { parseSpelling, type ServerVersion } from "../../provider/core/version";
import { type RedisServer, type RedisServerOptions, startRedisServer } from "./redis-server";
import type { Tool } from "./tools";

/** A plan with as many databases as Redis has by default, so that leaders that aren't ours can be followed. */
export const ROOMY = { memory: "256mb", connections: 100, databases: 16 } as const;

/** A leader that isn't ours, as it comes: with save points, all databases, and DEBUG for those who compare. */
export function startStockLeader(
  { name, path }: Tool,
  { args = [], ...options }: RedisServerOptions = {},
): Promise<RedisServer> {
  return startRedisServer({ executable: path, ...options, args: [...debugOf(name), ...args] });
}

/** What a server is started with to allow DEBUG; 6.2 has no such setting, and its DEBUG is always there. */
export function debugOf(name: string): readonly string[] {
  return name.startsWith("Redis 6.2") ? [] : ["--enable-debug-command", "yes"];
}

/** Lines of redis.conf for an add-on of a test that compares by DEBUG DIGEST. */
export const DEBUG_LINES = ["enable-debug-command yes"] as const;

/** How a server without a password is followed. */
export function addressOf({ port }: { readonly port: number }): LeaderAddress {
  return { host: "127.0.0.1", port, password: "" };
}

export function versionOf({ name }: Tool): ServerVersion {
  const found = parseSpelling(name.replace(/^Redis /, "").replace(/^Valkey /, "valkey-"));
  if (found === undefined) throw new Error(`${name} is no version`);
  return found;
}

/** Some of every type, in two databases; and what only snapshots of newer servers hold. */
export async function fillEveryType(client: Redis, { flavor, version }: ServerVersion): Promise<void> {
  await client.set("text", "a value");
  await client.set("bytes", Buffer.from([0, 13, 10, 255, 36]));
  await client.set("number", 42);
  await client.set("long", "x".repeat(100_000));
  await client.set("expiring", "x", "EX", 36_000);
  await client.rpush("list", ...Array.from({ length: 300 }, (_, i) => `entry ${i}`));
  await client.sadd("numbers", 1, 2, 3);
  await client.sadd("set", ...Array.from({ length: 200 }, (_, i) => `member ${i}`));
  await client.hset("hash", { field: "value", other: "x".repeat(100) });
  // DEBUG DIGEST of 7.0 spells scores that have no end in binary in its own way.
  await client.zadd("small zset", 1, "a", 2.5, "b");
  await client.zadd("zset", ...Array.from({ length: 300 }, (_, i) => [i / 4, `member ${i}`]).flat());
  await client.xadd("stream", "1-1", "field", "value");
  await client.xadd("stream", "2-1", "field", "value");
  await client.xgroup("CREATE", "stream", "group", "0");
  await client.xreadgroup("GROUP", "group", "reader", "COUNT", 1, "STREAMS", "stream", ">");
  await client.pfadd("log", "a", "b", "c");
  await client.setbit("bits", 1_000, 1);
  await client.geoadd("places", 13.36, 38.11, "Palermo");
  await client.call("SELECT", 9);
  await client.set("elsewhere", "yes");
  await client.call("SELECT", 0);
  if (flavor === "valkey" || !version.startsWith("6"))
    await client.call(
      "FUNCTION",
      "LOAD",
      "#!lua name=lib\nredis.register_function('f', function() return 1 end)",
    );
}
