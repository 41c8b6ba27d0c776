import { randomBytes } from "node:crypto";
import { Redis } from "ioredis";
import { expect, test } from "vitest";
import { redisUrl } from "../../provider/core/uri";
import { creates, makeTestHome, SMALL } from "../support/data-home";
import { provision } from "../support/provision";

const VALUE = randomBytes(64 * 1024);

test("a full add-on under noeviction refuses writes, goes on serving, is backed up, and takes writes again", async () => {
  await using home = await makeTestHome();
  const plan = { memory: "16mb", connections: 20, databases: 1 };
  const request = { name: "cache", claim: creates("t1"), wish: { ...SMALL, plan }, given: ["plan"] };
  const record = await provision(home.platform, request, home.task);
  const pid = await home.serverPid("cache");
  const { port } = record.server.wish;
  const redis = new Redis(redisUrl({ host: "127.0.0.1", port, password: record.credentials.password }));

  let stored = 0;
  let refusal: unknown;
  for (; refusal === undefined && stored < 1000; stored++)
    await redis.set(`value:${stored}`, VALUE).catch((error: unknown) => (refusal = error));
  expect(String(refusal)).toContain("OOM command not allowed when used memory > 'maxmemory'");
  expect(stored).toBeGreaterThan(100);
  expect(await redis.dbsize()).toBe(stored - 1);
  expect((await redis.getBuffer("value:0"))?.equals(VALUE)).toBe(true);
  expect(await home.platform.backUp("cache", home.task)).toMatchObject({ keys: stored - 1 });

  expect(await redis.del("value:0", "value:1", "value:2")).toBe(3);
  expect(await redis.set("again", "yes")).toBe("OK");
  expect(await home.serverPid("cache")).toBe(pid);
  redis.disconnect();
});
