import { BasicClientSideCache, createClient } from "redis";
import { expect, test } from "vitest";
import { describeRealUsers, startStandardAddon } from "../support/clients-addon";
import { until } from "../support/redis-server";

describeRealUsers((server) => {
  test("node-redis answers from its own cache until another client changes the key", async () => {
    await using addon = await startStandardAddon(server);
    await using stack = new AsyncDisposableStack();
    const cache = new BasicClientSideCache();
    const reader = createClient({ url: addon.url, RESP: 3, clientSideCache: cache });
    const writer = createClient({ url: addon.url });
    for (const client of [reader, writer]) {
      client.on("error", () => undefined);
      await client.connect();
      stack.defer(() => client.close());
    }
    await writer.set("price", "10");
    expect(await reader.get("price")).toBe("10");
    expect(await reader.get("price")).toBe("10");
    expect(cache.stats()).toMatchObject({ missCount: 1, hitCount: 1 });

    let invalidations = 0;
    cache.on("invalidate", () => invalidations++);
    await writer.set("price", "12");
    await until("the invalidation", () => invalidations > 0);
    expect(await reader.get("price")).toBe("12");
    expect(cache.stats()).toMatchObject({ missCount: 2, hitCount: 1 });

    invalidations = 0;
    // All keys at once.
    await writer.flushAll();
    await until("the invalidation of everything", () => invalidations > 0);
    expect(await reader.get("price")).toBeNull();
    expect(await addon.refusals()).toEqual([]);
  });
});
