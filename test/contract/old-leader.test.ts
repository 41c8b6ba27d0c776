import { open, readdir, readFile, stat } from "node:fs/promises";
import { describe, expect, it } from "vitest";
import { layoutOf } from "../../provider/platforms/local/home";
import { readDataMark } from "../../provider/platforms/local/data-mark";
import { startAgent, stopAgent } from "../../provider/operations/agent";
import { setBackups } from "../../provider/operations/backups";
import { inspect } from "../../provider/operations/inspect";
import { connectAdmin } from "../../provider/operations/connect-admin";
import { stopFollowing } from "../../provider/operations/promote";
import { remove } from "../../provider/operations/remove";
import { resync } from "../../provider/operations/resync";
import { creates, eventually, makeTestHome, type TestHome } from "../support/data-home";
import { follows } from "../support/follow";
import { freePort, startRedisServer } from "../support/redis-server";
import { agentLog, change, crash, make, run } from "./agent-support";
import {
  appendedFile,
  copyOfData,
  distrusted,
  expectKeys,
  fill,
  makePair,
  marked,
  onDisk,
  refusedCopies,
  whileDown,
  type Pair,
} from "./old-leader-support";

/** Promoted, the follower is a leader with all its keys, and its old leader nobody's concern any more. */
async function expectPromotable(home: TestHome, { lead, copy }: Pair, keys: number): Promise<void> {
  await stopFollowing(home.platform, { name: "copy", token: "f1" }, home.task);
  await expectKeys(copy, keys);
  await run(copy, "SET", "mine", "now");
  await eventually("the old leader is like any other", async () => {
    const status = await inspect(home.platform, "lead", home.task);
    return (
      status?.health === "healthy" && (await readDataMark(layoutOf(home.path).addon("lead"))) === undefined
    );
  });
  await eventually("its users may copy it again", async () => {
    return run(lead, "REPLCONF", "capa", "eof").then(
      (answer) => answer === "OK",
      () => false,
    );
  });
}

/** Somebody says that the follower shall have what its leader has now; what it had is in a backup. */
async function expectResync(home: TestHome, { lead, copy }: Pair, keys: number): Promise<void> {
  await run(lead, "SET", "only", "here");
  const { safetyBackups } = await resync(home.platform, { name: "copy", deadlineMs: 40_000 }, home.task);
  expect(safetyBackups).toMatchObject([
    { addon: "copy", backup: { keys, verification: { outcome: "verified" } } },
  ]);
  expect(await run(copy, "GET", "only")).toBe("here");
  expect(await run(copy, "DBSIZE")).toBe(await run(lead, "DBSIZE"));
  const status = await inspect(home.platform, "lead", home.task);
  expect(status?.problems).toEqual([]);
  await expect(run(copy, "SET", "mine", "now")).rejects.toMatchObject({ code: "read-only" });
}

/** Makes a leader with 100 keys, keeps a copy of its folder, and goes on to 300. */
async function pairWithOlderCopy(home: TestHome) {
  const pair = await makePair(home, 100);
  const older = await copyOfData(home);
  await fill(pair.lead, 300);
  await marked(home, 300);
  await eventually("the follower has all", async () => (await run(pair.copy, "DBSIZE")) === 300);
  return { pair, older };
}

const OLDER = /older than when they were last seen \(300 keys at .*, 100 keys now\)/;

describe("an old leader that comes back erases no follower", { concurrent: true, timeout: 120_000 }, () => {
  it("with an older copy of its data folder, put there while its server was down", async () => {
    await using home = await makeTestHome();
    const { pair, older } = await pairWithOlderCopy(home);
    await whileDown(home, "lead", () => older.put());
    expect((await distrusted(home, OLDER)).health).toBe("degraded");
    // What it was launched with: whatever is taken away later comes too late.
    const users = await readFile(layoutOf(home.path).addon("lead").acl, "utf8");
    expect(users.match(/^user .*-psync -sync -replconf/gm)).toHaveLength(2);
    await refusedCopies(home);
    await expectKeys(pair.copy, 300);
    // Its users go on, and neither a change nor another crash makes its data those that it had.
    await run(pair.lead, "SET", "new", "key");
    await change(home, "lead", { plan: "m_mono" });
    await fill(pair.lead, 400);
    await crash(home, "lead");
    await distrusted(home, /300 keys at .*, 400 keys now/);
    await refusedCopies(home);
    await expectKeys(pair.copy, 300);
    await expectResync(home, pair, 300);
  });

  it("with one that was put there between a clean stop and the next start", async () => {
    await using home = await makeTestHome();
    const { pair, older } = await pairWithOlderCopy(home);
    await stopAgent(home.path, false, home.task);
    await older.put();
    await startAgent(home.path, home.task);
    await distrusted(home, OLDER);
    await refusedCopies(home);
    await expectKeys(pair.copy, 300);
    await expectPromotable(home, pair, 300);
  });

  it("with another add-on's data, however much that wrote", async () => {
    await using home = await makeTestHome();
    const pair = await makePair(home, 100);
    const { record: other } = await make(home, "other");
    await fill(other, 3_000);
    await marked(home, 100);
    await stopAgent(home.path, false, home.task);
    await (await copyOfData(home, "other")).put("lead");
    await startAgent(home.path, home.task);
    await distrusted(home, /not those that it had .* \(100 keys at .*, 3000 keys now\)/);
    await refusedCopies(home);
    await expectKeys(pair.copy, 100);
    await expectResync(home, pair, 100);
  });

  it("with nothing, because it kept its data in memory alone and was killed", async () => {
    await using home = await makeTestHome();
    const pair = await makePair(home, 100, { leader: { persistence: "none" } });
    await marked(home, 100);
    // A restart that is planned keeps them, and its follower is let in at once.
    await change(home, "lead", { persistence: "none", plan: "m_mono" });
    await run(pair.lead, "SET", "more", "1");
    await eventually("the follower goes on", async () => (await run(pair.copy, "GET", "more")) === "1");
    process.kill(await home.serverPid("lead"), "SIGKILL");
    await distrusted(home, /memory alone and was lost, so they are gone \(.* keys at .*, 0 keys now\)/);
    await refusedCopies(home);
    await expectKeys(pair.copy, 101);
    // What it saves as it leaves is no more than what it has.
    await change(home, "lead", { persistence: "none", plan: "s_mono" });
    await distrusted(home, /are gone/);
    await refusedCopies(home);
    await expectKeys(pair.copy, 101);
    await expectResync(home, pair, 101);
  });

  it("also where its agent was killed with it, and the next one finds the older data", async () => {
    await using home = await makeTestHome();
    const { pair, older } = await pairWithOlderCopy(home);
    process.kill(await home.agentPid(), "SIGKILL");
    process.kill(await home.serverPid("lead"), "SIGKILL");
    await older.put();
    await startAgent(home.path, home.task);
    await distrusted(home, OLDER);
    await refusedCopies(home);
    // An agent that adopts such a server goes by what was found before.
    process.kill(await home.agentPid(), "SIGKILL");
    await startAgent(home.path, home.task);
    await refusedCopies(home);
    await distrusted(home, OLDER);
    await expectKeys(pair.copy, 300);
    await expectPromotable(home, pair, 300);
  });

  it("until the right data are back, which are found to be those that it had", async () => {
    await using home = await makeTestHome();
    const { pair, older } = await pairWithOlderCopy(home);
    const right = await copyOfData(home, "lead", "right");
    await whileDown(home, "lead", () => older.put());
    await distrusted(home, OLDER);
    await whileDown(home, "lead", () => right.put());
    await eventually("the follower goes on", async () => {
      await run(pair.lead, "SET", "after", "all");
      return (await run(pair.copy, "GET", "after")) === "all";
    });
    await onDisk(pair.copy);
    expect(await agentLog(home)).toContain("lead: its data are those that it had");
    expect((await inspect(home.platform, "lead", home.task))?.problems).toEqual([]);
    await expectKeys(pair.copy, 301);
  });

  it("that has several: what each of them has is backed up before it may be replaced", async () => {
    await using home = await makeTestHome();
    const { pair, older } = await pairWithOlderCopy(home);
    const { record: second } = await make(home, "second");
    await follows(home, { name: "second", leader: "lead", token: "f2" });
    await onDisk(second);
    await whileDown(home, "lead", () => older.put());
    await distrusted(home, /its followers copy, second keep theirs/);
    await refusedCopies(home, "second");
    for (const record of [pair.copy, second]) await expectKeys(record, 300);
    const resynced = await resync(home.platform, { name: "second", deadlineMs: 40_000 }, home.task);
    expect(resynced.safetyBackups).toMatchObject([
      { addon: "copy", backup: { keys: 300 } },
      { addon: "second", backup: { keys: 300 } },
    ]);
    for (const record of [pair.copy, second]) {
      await eventually("it has what its leader has", async () => (await run(record, "DBSIZE")) === 100);
      await onDisk(record);
    }
    const again = await resync(home.platform, { name: "copy", deadlineMs: 40_000 }, home.task);
    expect(again.safetyBackups).toEqual([]);
    await expect(resync(home.platform, { name: "lead", deadlineMs: 1 }, home.task)).rejects.toMatchObject({
      code: "no-follower",
    });
  });

  it("not to a stock server either, which has its user's password", async () => {
    await using home = await makeTestHome();
    const { pair, older } = await pairWithOlderCopy(home);
    const { port } = pair.lead.server.wish;
    await using stock = await startRedisServer({
      args: ["--masterauth", pair.lead.credentials.password, "--replicaof", `127.0.0.1 ${port}`],
    });
    await eventually("it has all", async () => (await stock.client.dbsize()) === 300);
    await whileDown(home, "lead", () => older.put());
    await distrusted(home, OLDER);
    const refusals = () =>
      stock
        .log()
        .split("\n")
        .filter((line) => line.includes("NOPERM")).length;
    const before = refusals();
    await eventually("it was refused again", async () => Promise.resolve(refusals() > before + 1));
    expect(await stock.client.dbsize()).toBe(300);
    await expectKeys(pair.copy, 300);
    await expectResync(home, pair, 300);
    await eventually("it has what the leader has", async () => (await stock.client.dbsize()) === 101);
  });
});

it("a leader elsewhere that came back empty is copied once somebody says so, and the keys are in a backup", async () => {
  await using home = await makeTestHome();
  const { record: copy } = await make(home, "copy");
  const port = await freePort();
  const options = { port, args: ["--requirepass", "theirs", "--databases", "1"] };
  const stock = await startRedisServer(options);
  await stock
    .connect({ password: "theirs" })
    .mset(Array.from({ length: 100 }, (_, i) => [`key:${i}`, "x"]).flat());
  const leader = { kind: "external", host: "127.0.0.1", port, password: "theirs" } as const;
  await follows(home, { name: "copy", leader });
  await eventually("it won't follow blindly", async () => (await agentLog(home)).includes("won't follow"));
  await stock[Symbol.asyncDispose]();
  await using empty = await startRedisServer(options);
  await empty.connect({ password: "theirs" }).set("only", "there");
  await eventually("its status says why it keeps its keys", async () => {
    const status = await inspect(home.platform, "copy", home.task);
    return status?.problems.some((text) => text.includes("holds 100 keys"));
  });
  await expectKeys(copy, 100);
  const resynced = await resync(home.platform, { name: "copy", deadlineMs: 40_000 }, home.task);
  expect(resynced.safetyBackups).toMatchObject([{ addon: "copy", backup: { keys: 100 } }]);
  expect(await run(copy, "GET", "only")).toBe("there");
  await expectKeys(copy, 1);
}, 120_000);

describe(
  "a leader whose data are in order goes on with its follower by itself",
  { concurrent: true, timeout: 120_000 },
  () => {
    async function expectInOrder(home: TestHome, { lead, copy }: Pair): Promise<void> {
      await run(lead, "SET", "after", "all");
      await eventually("the follower goes on", async () => (await run(copy, "GET", "after")) === "all");
      await onDisk(copy);
      expect(await agentLog(home)).not.toContain("nobody gets a copy");
      expect((await inspect(home.platform, "lead", home.task))?.problems).toEqual([]);
    }

    it("after a kill -9, also in the midst of rewrites, and of its agent too", async () => {
      await using home = await makeTestHome();
      const pair = await makePair(home, 100);
      await marked(home, 100);
      await crash(home, "lead");
      await expectInOrder(home, pair);
      process.kill(await home.agentPid(), "SIGKILL");
      process.kill(await home.serverPid("lead"), "SIGKILL");
      await startAgent(home.path, home.task);
      await eventually("it runs again", async () => {
        return (await inspect(home.platform, "lead", home.task))?.server.state === "running";
      });
      await expectInOrder(home, pair);
      // What was marked is gone with the rewrite, and nothing of it can be proved.
      await using admin = await connectAdmin(home.platform, pair.lead, home.task);
      for (let i = 0; i < 3; i++) {
        await admin.command("BGREWRITEAOF");
        await onDisk(pair.lead);
      }
      await crash(home, "lead");
      await expectInOrder(home, pair);
      // A change that turns the AOF off and on again begins another one.
      await change(home, "lead", { persistence: "none" });
      await change(home, "lead", { persistence: "everysec" });
      await crash(home, "lead");
      await expectInOrder(home, pair);
    });

    it("after a power failure that cost the last two seconds of its writes", async () => {
      await using home = await makeTestHome();
      const pair = await makePair(home, 100);
      await marked(home, 100);
      const { size: safe } = await stat(await appendedFile(home));
      await run(pair.lead, "SET", "last", "x".repeat(500));
      await whileDown(home, "lead", async () => {
        const file = await open(await appendedFile(home), "r+");
        await file.truncate(safe + 100);
        await file.close();
      });
      await eventually("it runs again", async () => {
        return (await inspect(home.platform, "lead", home.task))?.server.state === "running";
      });
      await expectInOrder(home, pair);
      expect(await run(pair.copy, "GET", "last")).toBeNull();
    });

    it("but not where its server cuts off what had been there for long", async () => {
      await using home = await makeTestHome();
      const pair = await makePair(home, 100);
      await fill(pair.lead, 200);
      await fill(pair.lead, 300);
      await marked(home, 300);
      await eventually("the follower has all", async () => (await run(pair.copy, "DBSIZE")) === 300);
      await whileDown(home, "lead", async () => {
        const file = await open(await appendedFile(home), "r+");
        const content = (await file.readFile()).toString("latin1");
        const command = content.lastIndexOf("*201\r\n", content.lastIndexOf("*201\r\n") - 1);
        // For Redis a value that claims more bytes than there are means that the file was cut off before its command.
        await file.write("$999999\r\n", content.indexOf("$100\r\n", command), "latin1");
        await file.close();
      });
      await distrusted(home, /older than when they were last seen \(300 keys at .*, 100 keys now\)/);
      await refusedCopies(home);
      await expectKeys(pair.copy, 300);
    });
  },
);

describe("backups of a leader that nobody may copy", { concurrent: true, timeout: 120_000 }, () => {
  it("are taken all the same, cost none from before, and the last one ends it", async () => {
    await using home = await makeTestHome();
    const { pair, older } = await pairWithOlderCopy(home);
    const wish = { schedule: { daily: "03:00" }, retention: { keepLast: 1 } } as const;
    await setBackups(home.platform, { name: "lead", claim: creates("b1"), wish, given: [] }, home.task);
    const { slot: good } = await home.platform.backUp("lead", home.task);
    await whileDown(home, "lead", () => older.put());
    await distrusted(home, OLDER);
    const { slot, keys } = await home.platform.backUp("lead", home.task);
    expect(keys).toBe(100);
    const slots = async () =>
      (await readdir(`${home.path}/backups/${pair.lead.catalogKey}`))
        .filter((file) => /^\w+Z\.json$/.test(file))
        .map((file) => file.replace(".json", ""))
        .sort();
    expect(await slots()).toEqual([good, slot]);
    const removal = await remove(home.platform, { name: "lead", token: "t1" }, home.task);
    expect(removal).toMatchObject({ outcome: "removed", finalBackup: { keys: 100 } });
    expect(await slots()).toHaveLength(3);
    await expectKeys(pair.copy, 300);
  });

  it("are let in where an earlier version of the agent made the server", async () => {
    await using home = await makeTestHome();
    const { record } = await make(home, "lead");
    await fill(record, 10);
    await using admin = await connectAdmin(home.platform, record, home.task);
    await admin.command("ACL", "DELUSER", "redis-addon-capture");
    expect(await home.platform.backUp("lead", home.task)).toMatchObject({ keys: 10 });
  });
});
