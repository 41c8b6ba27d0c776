import { expect, test } from "vitest";
import { desiredServer } from "../../provider/core/render";
import { converge } from "../../provider/redis/converge";
import { leaderFromTheFuture } from "../support/leader-from-the-future";
import { eventually, following, startAddon, testRecord, testTask } from "../support/local-addon";

test.each(["everysec", "always"] as const)(
  "an AOF that is turned on (%s) is whole and in force when converge returns",
  async (persistence) => {
    await using addon = await startAddon(testRecord({ persistence: "none" }));
    const user = await addon.user();
    // Enough for the first AOF to take a moment.
    const values = Array.from({ length: 2_000 }, (_, i) => [`key:${i}`, "x".repeat(10_000)]);
    await user.command("MSET", ...values.flat());
    const client = await addon.admin();
    const { record } = addon;
    const wish = { ...record.server.wish, persistence };
    const changed = { ...record, server: { ...record.server, wish } };
    expect((await converge(client, desiredServer(changed, undefined), testTask())).changes).toContain(
      "appendonly from no to yes",
    );
    await addon.server.kill("SIGKILL");
    await addon.restart(changed, undefined);
    const again = await addon.admin();
    expect(await again.command("DBSIZE")).toBe(values.length);
    expect((await again.config("appendfsync")).get("appendfsync")).toBe(persistence);
  },
);

test("an AOF that holds what a failed load has cost the memory is not turned off", async () => {
  await using leader = await leaderFromTheFuture();
  await using addon = await startAddon();
  const { record } = addon;
  await (await addon.user()).command("SET", "old", "1");
  const client = await addon.admin();
  const address = { host: "127.0.0.1", port: leader.port, password: "" };
  await converge(client, desiredServer(following(record), address), testTask());
  await eventually(
    async () => (await client.info()).get("aof_enabled"),
    (enabled) => enabled === "0" && leader.snapshots() > 0,
  );
  const wish = { ...record.server.wish, persistence: "none" as const };
  const changed = following({ ...record, server: { ...record.server, wish } });
  // Between two tries it is loading.
  const refusal = { code: expect.stringMatching(/^(load-failed|loading)$/) as unknown };
  for (let i = 0; i < 20; i++)
    await expect(converge(client, desiredServer(changed, address), testTask())).rejects.toMatchObject(
      refusal,
    );
  expect((await client.config("appendonly")).get("appendonly")).toBe("yes");
});
