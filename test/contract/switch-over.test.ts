import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import { stopFollowing } from "../../provider/operations/promote";
import { remove } from "../../provider/operations/remove";
import { eventually, makeTestHome, type TestHome } from "../support/data-home";
import { follows } from "../support/follow";
import { expectAllWritten, keepPairLedgers } from "../support/pair-ledger";
import { until } from "../support/redis-server";
import { describeWith } from "../support/tools";
import { crash, make, onPath, run, spellingOf, supported } from "./agent-support";
import {
  exchange,
  expectRoles,
  infoOf,
  load,
  makePair,
  PASSWORD,
  withAdmin,
  type TestPair,
} from "./switch-over-support";

let path: Disposable;
beforeAll(() => {
  path = onPath();
});
afterAll(() => {
  path[Symbol.dispose]();
});

const switched = (home: TestHome, name = "copy", leader = "lead") =>
  follows(home, { name, leader, position: "switched-over" });

async function fullSyncs(home: TestHome, name: string): Promise<number> {
  return Number((await infoOf(home, { name })).get("sync_full"));
}

describeWith(supported, "a switchover", () => {
  it.each(supported.map((server) => spellingOf(server)))(
    "on %s loses no acknowledged write under load, there and back, and others follow by a partial resync",
    async (version) => {
      await using home = await makeTestHome();
      const pair = await makePair(home, { version });
      const { lead, copy } = pair;
      await make(home, "other", { version, password: PASSWORD });
      await follows(home, { name: "other", leader: "lead" });
      await using ledger = keepPairLedgers([lead, copy], { lists: ["a", "b", "c", "d"], batch: 20 });
      await until("the first writes", () => ledger.count() > 2_000);

      const { switchover, record } = await switched(home);
      expect(record.replication?.wish.position).toBe("switched-over");
      expect(switchover?.worstStallMs).toBeGreaterThan(0);
      const reached = ledger.count();
      await until("writes to the new leader", () => ledger.count() > reached + 2_000);
      await expectRoles(home, { leader: copy, follower: lead });
      await expectRoles(home, { leader: copy, follower: await load(home, "other") });
      expect(await fullSyncs(home, "copy"), "full syncs of the new leader").toBe(0);

      await follows(home, { name: "copy", leader: "lead" });
      const again = ledger.count();
      await until("writes to the first leader", () => ledger.count() > again + 2_000);
      const written = await ledger.stop();
      await expectRoles(home, { leader: lead, follower: copy });
      await expectRoles(home, { leader: lead, follower: await load(home, "other") });
      // Each of the two followers once, when it was told to follow.
      expect(await fullSyncs(home, "lead")).toBe(2);
      await withAdmin(home, "lead", (server) => expectAllWritten(server, written));
    },
    90_000,
  );

  it("leaves the old leader fenced: killed, without its data, or with older ones it follows and takes no write", async () => {
    await using home = await makeTestHome();
    const { lead, copy } = await makePair(home);
    const data = join(home.path, "addons", "lead", "data");
    const older = join(home.path, "older");
    await run(lead, "SET", "kept", "old");
    await cp(data, older, { recursive: true });
    await switched(home);
    await run(copy, "SET", "kept", "new");

    for (const happens of [
      () => Promise.resolve(),
      () => rm(data, { recursive: true }),
      async () => {
        await rm(data, { recursive: true });
        await cp(older, data, { recursive: true });
      },
    ]) {
      await happens();
      await crash(home, "lead");
      await expectRoles(home, { leader: copy, follower: lead });
      expect(await run(lead, "GET", "kept")).toBe("new");
      expect(await run(copy, "GET", "kept")).toBe("new");
    }
    await follows(home, { name: "copy", leader: "lead" });
    await expectRoles(home, { leader: lead, follower: copy });
    expect(await run(lead, "GET", "kept")).toBe("new");
  });

  it("that can't be had in time leaves everything as it was, and says so", async () => {
    await using home = await makeTestHome();
    const pair = await makePair(home, { access: "advanced" });
    const { lead, copy } = pair;
    const before = [await load(home, "lead"), await load(home, "copy")];
    // What its leader sends is held up with its users' writes.
    await run(copy, "CLIENT", "PAUSE", "60000", "WRITE");
    await run(lead, "SET", "kept", "yes");
    await expect(exchange(home, pair, "switched-over", { timeoutMs: 300 })).rejects.toMatchObject({
      code: "not-switched-over",
      cause: expect.stringContaining("lead leads as before") as unknown,
    });
    expect([await load(home, "lead"), await load(home, "copy")]).toEqual(before);
    await run(copy, "CLIENT", "UNPAUSE");
    await expectRoles(home, { leader: lead, follower: copy });
    // An advanced user may look at this, on a leader.
    expect(await run(lead, "CONFIG", "GET", "masterauth")).toEqual(["masterauth", ""]);
    await switched(home);
    await expectRoles(home, { leader: copy, follower: lead });
    await expect(run(lead, "CONFIG", "GET", "masterauth")).rejects.toMatchObject({ code: "not-permitted" });
    expect(await run(copy, "CONFIG", "GET", "masterauth")).toEqual(["masterauth", ""]);
    expect(await run(copy, "CONFIG", "GET", "min-replicas-to-write")).toEqual(["min-replicas-to-write", "0"]);
  });

  it("is done once: the same call again changes nothing, a stale one neither", async () => {
    await using home = await makeTestHome();
    const pair = await makePair(home);
    await switched(home);
    const records = [await load(home, "lead"), await load(home, "copy")];
    const again = await exchange(home, pair, "switched-over");
    expect(again).toMatchObject({ outcome: "switched-over", leader: "copy", follower: "lead" });
    expect(again).not.toHaveProperty("measured");
    const request = {
      name: "lead",
      claim: { kind: "person" },
      to: "switched-over",
      timeoutMs: 1_000,
    } as const;
    expect(await home.platform.switchOver(request, home.task)).toMatchObject({ record: { name: "lead" } });
    const stale = { ...request, to: "declared", claim: { kind: "carry", token: "older" } } as const;
    expect(await home.platform.switchOver(stale, home.task)).toEqual({ outcome: "stale" });
    expect([await load(home, "lead"), await load(home, "copy")]).toEqual(records);
    // Two at once: one after the other.
    await Promise.all([exchange(home, pair, "declared"), exchange(home, pair, "declared")]);
    await expectRoles(home, { leader: pair.lead, follower: pair.copy });
  });

  it("is refused where the two are no pair that it can be had with", async () => {
    await using home = await makeTestHome();
    const pair = await makePair(home);
    await make(home, "small", { password: PASSWORD, plan: "m_mono" });
    await follows(home, { name: "small", leader: "lead" });
    await expect(switched(home, "small")).rejects.toMatchObject({ code: "too-few-databases" });
    const alone = { name: "lead", claim: { kind: "person" }, to: "switched-over", timeoutMs: 1_000 } as const;
    await expect(home.platform.switchOver(alone, home.task)).rejects.toMatchObject({ code: "not-a-pair" });
    expect(await home.platform.switchOver({ ...alone, name: "nobody" }, home.task)).toEqual({
      outcome: "absent",
    });

    await switched(home);
    const exchanged = { cause: expect.stringContaining("copy") as unknown };
    await make(home, "third", { password: PASSWORD });
    await expect(follows(home, { name: "lead", leader: "third", replaceData: true })).rejects.toMatchObject({
      code: "roles-exchanged",
      ...exchanged,
    });
    await expect(switched(home, "small")).rejects.toMatchObject({ code: "exchanged-already", ...exchanged });
    await expectRoles(home, { leader: pair.copy, follower: pair.lead });
  });

  const ENDS: readonly [string, (home: TestHome, pair: TestPair) => Promise<unknown>][] = [
    [
      "removing the RedisFollower",
      (home) => stopFollowing(home.platform, { name: "copy", token: "f1" }, home.task),
    ],
    ["promoting it", (home) => follows(home, { name: "copy", leader: "lead", position: "promoted" })],
  ];
  it.each(ENDS)("ends by %s with two leaders and their data", async (_, end) => {
    await using home = await makeTestHome();
    const pair = await makePair(home);
    const { lead, copy } = pair;
    await switched(home);
    await run(copy, "SET", "kept", "yes");
    await expectRoles(home, { leader: copy, follower: lead });
    await end(home, pair);
    for (const addon of [lead, copy]) {
      await eventually(`${addon.name} takes writes`, () =>
        run(addon, "SET", "mine", addon.name).catch(() => undefined),
      );
      expect(await run(addon, "GET", "kept")).toBe("yes");
    }
    expect(await run(lead, "GET", "mine")).toBe("lead");
    expect(await run(copy, "GET", "mine")).toBe("copy");
    expect((await load(home, "lead")).demoted).toBeUndefined();
    await crash(home, "lead");
    await run(lead, "SET", "mine", "again");
  });

  it("leaves a leader whichever of the two is deleted", async () => {
    await using home = await makeTestHome();
    const first = await makePair(home, { deletion: { finalBackup: false } }, "-1");
    const second = await makePair(home, { deletion: { finalBackup: false } }, "-2");
    for (const { copy, lead } of [first, second]) {
      await switched(home, copy.name, lead.name);
      await run(copy, "SET", "kept", "yes");
      await expectRoles(home, { leader: copy, follower: lead });
    }
    await remove(home.platform, { name: first.copy.name }, home.task);
    await remove(home.platform, { name: second.lead.name }, home.task);
    for (const left of [first.lead, second.copy]) {
      await eventually("it takes writes", () => run(left, "SET", "more", "yes").catch(() => undefined));
      expect(await run(left, "GET", "kept")).toBe("yes");
      await crash(home, left.name);
      expect(await run(left, "GET", "kept")).toBe("yes");
    }
    await make(home, "lead-2", { password: PASSWORD });
    await expect(follows(home, { name: "copy-2", leader: "lead-2" })).rejects.toMatchObject({
      code: "holds-data",
    });
  });

  it("and another leader at once are two steps, the roles being exchanged back first", async () => {
    await using home = await makeTestHome();
    const { lead, copy } = await makePair(home);
    await make(home, "next", { password: PASSWORD });
    const next = await load(home, "next");
    await run(next, "SET", "kept", "next");
    await switched(home);
    await run(copy, "SET", "kept", "yes");
    await follows(home, { name: "copy", leader: "next", replaceData: true });
    await expectRoles(home, { leader: next, follower: copy });
    expect(await run(lead, "GET", "kept")).toBe("yes");
    await run(lead, "SET", "kept", "still");
  });
});
