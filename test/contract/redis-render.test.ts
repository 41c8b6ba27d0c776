import fc from "fast-check";
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { ACCESS_LEVELS, EVICTION_POLICIES } from "../../provider/core/facets";
import { PLAN_NAMES } from "../../provider/core/plans";
import { confLine } from "../../provider/core/render";
import { redisUrl } from "../../provider/core/uri";
import { following, startAddon, testRecord, testTask } from "../support/local-addon";
import { startLocalRedis } from "../support/local-redis";
import { connectRedis } from "../../provider/redis/client";

const PRINTABLE = String.fromCharCode(...Array.from({ length: 0x7f - 0x20 }, (_, i) => 0x20 + i));

for (const plan of PLAN_NAMES)
  test(`a server starts from what is rendered for ${plan}, whatever its access and role`, async () => {
    const policies = EVICTION_POLICIES.entries();
    for (const access of ACCESS_LEVELS)
      for (const follows of [false, true]) {
        const evictionPolicy = policies.next().value?.[1] ?? "noeviction";
        const record = testRecord({ plan, access, evictionPolicy });
        await using addon = await startAddon(follows ? following(record) : record);
        const info = await (await addon.admin()).info();
        expect(info.get("role")).toBe(follows ? "slave" : "master");
        expect(info.get("maxmemory_policy")).toBe(evictionPolicy);
        expect(info.get("aof_enabled")).toBe("1");
      }
  });

test("a password of every printable character works and is in no file in the clear", async () => {
  const record = testRecord();
  const password = `${PRINTABLE}é漢😀`;
  await using addon = await startAddon({ ...record, credentials: { ...record.credentials, password } });
  expect(await (await addon.user()).command("PING")).toBe("PONG");
  const { port } = addon.server;
  const { Redis } = await import("ioredis");
  const byUrl = new Redis(redisUrl({ host: "127.0.0.1", port, password }), { retryStrategy: () => null });
  expect(await byUrl.ping()).toBe("PONG");
  byUrl.disconnect();
  for (const file of ["redis.conf", "users.acl"]) {
    const path = join(addon.server.dir, file);
    expect(await readFile(path, "utf8")).not.toContain(password);
    expect((await stat(path)).mode & 0o777).toBe(0o600);
  }
});

test("redis.conf carries any value to the server unchanged", async () => {
  const text = fc.string({ unit: "binary", maxLength: 40 }).filter((value) => !value.includes("\0"));
  const samples = [
    PRINTABLE,
    " ",
    "#",
    '"',
    "'",
    "\\",
    '\\"',
    "\\x41",
    "a b",
    "é",
    "\r\n\t",
    ...fc.sample(text, 20),
  ];
  for (const value of samples.filter((sample) => sample !== "")) {
    await using server = await startLocalRedis(({ port, dataDir }) => ({
      conf: [
        confLine("bind", "127.0.0.1"),
        confLine("port", String(port)),
        confLine("dir", dataDir),
        confLine("requirepass", "pw"),
        confLine("masterauth", value),
        "",
      ].join("\n"),
    }));
    const address = { host: "127.0.0.1", port: server.port, password: "pw" };
    await using client = await connectRedis(address, testTask());
    expect((await client.config("masterauth")).get("masterauth")).toBe(
      Buffer.from(value, "utf8").toString("utf8"),
    );
  }
});
