import { expect, test } from "vitest";
import { desiredServer } from "../../provider/core/render";
import { converge } from "../../provider/redis/converge";
import type { RedisClient } from "../../provider/redis/client";
import { stopFollowing } from "../../provider/redis/promote";
import { promote } from "../support/promote";
import { waitSynced } from "../../provider/redis/wait-synced";
import { leaderFromTheFuture } from "../support/leader-from-the-future";
import { eventually, following, startAddon, testTask, type LocalAddon } from "../support/local-addon";

const KEYS = 300;
const DEADLINE = { deadlineMs: 20_000, name: "copy" };

/**
 * A follower with old data of its own whose link to a full leader has just come up, and whose first AOF takes its time:
 * a start before that is written loads the old data. (Valkey 9 takes the snapshot itself for its first AOF.)
 */
async function justLinked(addon: LocalAddon, leader: LocalAddon): Promise<RedisClient> {
  await (await addon.user()).command("SET", "old", "1");
  const there = await leader.user();
  for (let i = 0; i < KEYS; i++) await there.command("SET", `key:${i}`, "x");
  const client = await addon.admin();
  // Microseconds for each key that a child process writes.
  await client.command("CONFIG", "SET", "rdb-key-save-delay", 2_000);
  await converge(client, desiredServer(following(addon.record), leader.address), testTask());
  await eventually(
    async () => (await client.info()).get("master_link_status"),
    (status) => status === "up",
  );
  return client;
}

async function expectLeadersData(addon: LocalAddon): Promise<void> {
  const user = await addon.user();
  expect(await user.command("DBSIZE")).toBe(KEYS);
  expect(await user.command("GET", "old")).toBeNull();
}

for (const how of ["promote", "converge"] as const)
  test(`a follower that ${how} made a leader keeps all it received through a kill -9 right after`, async () => {
    await using leader = await startAddon();
    await using addon = await startAddon();
    const client = await justLinked(addon, leader);
    const offset = Number((await (await leader.admin()).info()).get("master_repl_offset"));
    await eventually(
      async () => Number((await client.info()).get("slave_repl_offset")),
      (reached) => reached >= offset,
    );
    if (how === "promote") {
      const { finalOffset } = await promote(client, testTask(), DEADLINE);
      expect(finalOffset).toBeGreaterThanOrEqual(offset);
    } else await converge(client, desiredServer(addon.record, undefined), testTask());
    await addon.server.kill("SIGKILL");
    await addon.restart(addon.record, undefined);
    await expectLeadersData(addon);
    expect(await (await addon.user()).command("SET", "mine", "1")).toBe("OK");
  });

test("a follower that is told to be synced keeps all it received through a kill -9 right after", async () => {
  await using leader = await startAddon();
  await using addon = await startAddon();
  await waitSynced(await justLinked(addon, leader), leader.address, testTask(), DEADLINE);
  await leader.server.kill("SIGKILL");
  await addon.server.kill("SIGKILL");
  await addon.restart(following(addon.record), leader.address);
  await expectLeadersData(addon);
});

test("a promotion that was cut off after it stopped following is completed by the next call", async () => {
  await using leader = await startAddon();
  await using addon = await startAddon();
  const client = await justLinked(addon, leader);
  await stopFollowing(client, testTask());
  await converge(client, desiredServer(addon.record, undefined), testTask());
  await addon.server.kill("SIGKILL");
  await addon.restart(addon.record, undefined);
  await expectLeadersData(addon);
});

test("the final offset is the leader's history alone, whatever is written afterwards", async () => {
  await using leader = await startAddon();
  await using addon = await startAddon(following(leader.record), leader.address);
  const client = await addon.admin();
  await waitSynced(client, leader.address, testTask(), DEADLINE);
  const { finalOffset } = await stopFollowing(client, testTask());
  const info = await client.info();
  expect(info.get("role")).toBe("master");
  expect(Number(info.get("second_repl_offset"))).toBe(finalOffset + 1);
});

test("promoting a leader changes nothing", async () => {
  await using addon = await startAddon();
  const client = await addon.admin();
  const before = (await client.info()).get("master_replid");
  await promote(client, testTask(), DEADLINE);
  expect((await client.info()).get("master_replid")).toBe(before);
});

test("after a load that failed a promotion is refused, and a restart brings the old data back", async () => {
  await using leader = await leaderFromTheFuture();
  await using addon = await startAddon();
  const record = addon.record;
  await (await addon.user()).command("SET", "old", "1");
  const client = await addon.admin();
  const address = { host: "127.0.0.1", port: leader.port, password: "" };
  await converge(client, desiredServer(following(record), address), testTask());
  await eventually(
    async () => (await client.info()).get("aof_enabled"),
    (enabled) => enabled === "0" && leader.snapshots() > 0,
  );
  // Between two tries the transfer of the next snapshot is under way, over a memory that is already empty.
  const refusal = { code: expect.stringMatching(/^(load-failed|loading)$/) as unknown };
  for (let i = 0; i < 20; i++) {
    await expect(promote(client, testTask(), DEADLINE)).rejects.toMatchObject(refusal);
    await expect(converge(client, desiredServer(record, undefined), testTask())).rejects.toMatchObject(
      refusal,
    );
  }
  // As the agent ends it: a server that leaves in good order must not write its empty memory down either.
  await addon.server.kill("SIGTERM");
  await addon.restart(record, undefined);
  expect(await (await addon.user()).command("GET", "old")).toBe("1");
});
