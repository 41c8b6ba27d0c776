import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { describeRealUsers, startStandardAddon, type StandardAddon } from "../support/clients-addon";
import { until } from "../support/redis-server";

describeRealUsers((server) => {
  test("ioredis's messages arrive, on channels, patterns and shard channels", async () => {
    await using addon = await startStandardAddon(server);
    await using redis = openIoredis(addon);
    const [subscriber, publisher] = [redis.connect(), redis.connect()];
    const heard: string[] = [];
    subscriber.on("message", (channel, text) => heard.push(`${channel}: ${text}`));
    subscriber.on("pmessage", (_, channel, text) => heard.push(`${channel} by pattern: ${text}`));
    subscriber.on("smessage", (channel, text) => heard.push(`${channel} of its shard: ${text}`));
    await subscriber.subscribe("news");
    await subscriber.psubscribe("chat:*");
    await subscriber.ssubscribe("orders");
    expect(await publisher.publish("news", "one")).toBe(1);
    expect(await publisher.publish("chat:7", "two")).toBe(1);
    expect(await publisher.spublish("orders", "three")).toBe(1);
    await until("three messages", () => heard.length === 3);
    expect(heard.toSorted()).toEqual(["chat:7 by pattern: two", "news: one", "orders of its shard: three"]);
    expect(await addon.refusals()).toEqual([]);
  });

  test("keyspace events are heard once the setting asks for them, a key's expiry among them", async () => {
    await using addon = await startStandardAddon(server, { "notify-keyspace-events": "AKE" });
    await using redis = openIoredis(addon);
    const [subscriber, writer] = [redis.connect({ db: 3 }), redis.connect({ db: 3 })];
    const heard: string[] = [];
    subscriber.on("pmessage", (_, channel, text) => heard.push(`${channel} ${text}`));
    await subscriber.psubscribe("__keyevent@3__:*");
    await writer.set("token", "1", "PX", 20);
    await until("the expiry", () => heard.includes("__keyevent@3__:expired token"));
    expect(heard).toContain("__keyevent@3__:set token");
    expect(await addon.refusals()).toEqual([]);
  });

  test("Lua scripts, functions, transactions, streams and locks of ioredis run", async () => {
    await using addon = await startStandardAddon(server);
    await using redis = openIoredis(addon);
    const client = redis.connect();
    const lua =
      "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) end return 0";
    client.defineCommand("unlock", { numberOfKeys: 1, lua });
    const unlock = (key: string, owner: string) => client.call("EVAL", lua, 1, key, owner);
    expect(await client.set("lock", "me", "PX", 60_000, "NX")).toBe("OK");
    expect(await client.set("lock", "you", "PX", 60_000, "NX")).toBeNull();
    expect(await unlock("lock", "you")).toBe(0);
    expect(await (client as Redis & { unlock: typeof unlock }).unlock("lock", "me")).toBe(1);

    const library =
      "#!lua name=shop\nredis.register_function('twice', function(_, args) return 2 * args[1] end)";
    await client.function("LOAD", library);
    expect(await client.fcall("twice", 0, 21)).toBe(42);

    await client.watch("stock");
    expect(await client.multi().incr("stock").incr("stock").exec()).toEqual([
      [null, 1],
      [null, 2],
    ]);

    await client.xgroup("CREATE", "orders", "packers", "$", "MKSTREAM");
    await client.xadd("orders", "*", "item", "tea");
    const read = await client.xreadgroup("GROUP", "packers", "ann", "COUNT", 1, "STREAMS", "orders", ">");
    expect(JSON.stringify(read)).toContain('"tea"');
    expect(await addon.refusals()).toEqual([]);
  });

  test("what a user is refused is seen here", async () => {
    await using addon = await startStandardAddon(server);
    await using redis = openIoredis(addon);
    await expect(redis.connect().config("GET", "maxmemory")).rejects.toThrow(/NOPERM/);
    expect(JSON.stringify(await addon.refusals())).toContain("config|get");
  });

  test("the server is what the plan says", async () => {
    await using addon = await startStandardAddon(server);
    await using redis = openIoredis(addon);
    const info = await redis.connect().info("memory");
    expect(info).toContain(`maxmemory:${512 * 1024 ** 2}\r\n`);
    expect(info).toContain("maxmemory_policy:noeviction\r\n");
    expect(await redis.connect({ db: 9 }).ping()).toBe("PONG");
  });
});

/** Connections by the add-on's URL, closed together. */
function openIoredis({ url }: StandardAddon) {
  const connections: Redis[] = [];
  return {
    connect(options: { db?: number } = {}) {
      const redis = new Redis(url, { maxRetriesPerRequest: 0, ...options });
      connections.push(redis);
      return redis;
    },
    async [Symbol.asyncDispose]() {
      for (const connection of connections) connection.disconnect();
    },
  };
}
