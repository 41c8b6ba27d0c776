import { Redis } from "ioredis";
import { RateLimiterRedis, RateLimiterRes } from "rate-limiter-flexible";
import { createClient } from "redis";
import { expect, test } from "vitest";
import { describeRealUsers, startStandardAddon } from "../support/clients-addon";

const LIMIT = { keyPrefix: "login", points: 5, duration: 60 };

describeRealUsers((server) => {
  test("two instances of a rate limiter on ioredis together let through exactly as many as they may", async () => {
    await using addon = await startStandardAddon(server);
    const connections = [new Redis(addon.url), new Redis(addon.url)];
    await using stack = new AsyncDisposableStack();
    for (const connection of connections) stack.defer(() => connection.disconnect());
    const instances = connections.map((storeClient) => new RateLimiterRedis({ ...LIMIT, storeClient }));
    await provesLimit(instances);
    expect(await addon.refusals()).toEqual([]);
  });

  test("and so do two on node-redis", async () => {
    await using addon = await startStandardAddon(server);
    const connections = [createClient({ url: addon.url }), createClient({ url: addon.url })];
    await using stack = new AsyncDisposableStack();
    for (const connection of connections) {
      connection.on("error", () => undefined);
      await connection.connect();
      stack.defer(() => connection.close());
    }
    const instances = connections.map(
      (storeClient) => new RateLimiterRedis({ ...LIMIT, storeClient, useRedisPackage: true }),
    );
    await provesLimit(instances);
    expect(await addon.refusals()).toEqual([]);
  });
});

async function provesLimit([one, another]: readonly RateLimiterRedis[]) {
  if (one === undefined || another === undefined) throw new Error("two are needed");
  const tries = Array.from({ length: 20 }, (_, i) => (i % 2 === 0 ? one : another).consume("alice"));
  const outcomes = await Promise.allSettled(tries);
  expect(outcomes.filter(({ status }) => status === "fulfilled")).toHaveLength(LIMIT.points);
  for (const outcome of outcomes) {
    if (outcome.status === "fulfilled") continue;
    // Anything else would be the server's refusal.
    expect(outcome.reason).toBeInstanceOf(RateLimiterRes);
    expect((outcome.reason as RateLimiterRes).msBeforeNext).toBeGreaterThan(0);
  }
  expect((await another.consume("bob")).remainingPoints).toBe(LIMIT.points - 1);
  await one.block("bob", 60);
  await expect(another.consume("bob")).rejects.toBeInstanceOf(RateLimiterRes);
  expect(await one.delete("bob")).toBe(true);
  expect(await another.get("bob")).toBeNull();
}
