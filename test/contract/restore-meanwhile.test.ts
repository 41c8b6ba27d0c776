import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { dueNow } from "../../provider/agent/backups/due-now";
import { aclUsers, CAPTURE_USER, REPLICA_USER } from "../../provider/core/access";
import { inspect } from "../../provider/operations/inspect";
import { remove } from "../../provider/operations/remove";
import { layoutOf } from "../../provider/platforms/local/home";
import { creates, eventually, makeTestHome } from "../support/data-home";
import { follows } from "../support/follow";
import { freePort } from "../support/redis-server";
import {
  beginByHand,
  digestOf,
  expectNothingLeft,
  fill,
  recordOf,
  restored,
  restores,
  take,
  takeOfDatabase7,
  withAdmin,
} from "../support/restore";
import { agentLog, change, make, run } from "./agent-support";

const RESTORING = {
  ...{ from: { addon: "cache", backup: "latest" }, backup: "20260101T000000000Z", archive: "file:///a" },
  since: "2026-01-01T00:00:00.000Z",
};

test("while it is being restored, users don't write, nobody copies, backups can be taken, and no schedule takes one", async () => {
  await using home = await makeTestHome();
  const { record } = await make(home, "cache", { access: "advanced" });
  const restoring = { ...record, restoring: RESTORING };
  await withAdmin(record, async (admin) => {
    for (const { name, rules } of aclUsers(restoring))
      await admin.call("ACL", "SETUSER", name, "reset", ...rules);
    const may = async (user: string, ...command: string[]) =>
      (await admin.call("ACL", "DRYRUN", user, ...command)) === "OK";
    expect(await may("default", "GET", "key")).toBe(true);
    for (const command of [["SET", "key", "1"], ["FLUSHALL"], ["PSYNC", "?", "-1"]] as const)
      expect(await may("default", ...command)).toBe(false);
    expect(await may(REPLICA_USER, "PSYNC", "?", "-1")).toBe(false);
    expect(await may(CAPTURE_USER, "PSYNC", "?", "-1")).toBe(true);
  });
  const inTwoDays = Date.parse(record.createdAt) + 2 * 86_400_000;
  expect(dueNow(record, undefined, inTwoDays)).toBeDefined();
  expect(dueNow(restoring, undefined, inTwoDays)).toBeUndefined();
});

test("one that is undone leaves followers with their data, and their leader trusted", async () => {
  await using home = await makeTestHome();
  const taken = await takeOfDatabase7(home);
  const { record } = await make(home, "lead");
  await fill(record, "old");
  const { record: copy } = await make(home, "copy");
  await follows(home, { name: "copy", leader: "lead" });
  await beginByHand(home, "lead", taken);
  await expect(restores(home, "lead", taken, { onData: "replace" })).rejects.toMatchObject({
    code: "restore-undone",
  });
  await run(record, "SET", "after", "1");
  await eventually("the copy follows", async () => (await run(copy, "GET", "after")) === "1");
  expect(await digestOf(copy)).toBe(await digestOf(record));
  expect(await agentLog(home)).not.toMatch(/older than when|not those that it had/);
});

test("a change that comes meanwhile says that it waits for the restore, and comes after it", async () => {
  await using home = await makeTestHome();
  const { record } = await make(home, "cache");
  await run(record, "SET", "kept", "1");
  const taken = await take(home, "cache");
  const told: string[] = [];
  let changing: Promise<unknown> | undefined;
  const progress = ({ message }: { message: string }) => {
    if (!message.startsWith("fetching")) return;
    const wish = { schedule: { daily: "03:00" }, retention: { days: 7 } };
    changing ??= home.platform.apply(
      { facet: "backups", name: "cache", claim: creates("b1"), given: [], wish },
      { ...home.task, progress: (each) => told.push(each.message) },
    );
  };
  await restored(home, "cache", taken, { onData: "replace", task: { ...home.task, progress } });
  await changing;
  expect(told[0]).toBe("waiting for the restore of cache to end");
  expect(await recordOf(home, "cache")).toMatchObject({
    restored: { backup: taken.slot },
    backups: { wish: { retention: { days: 7 } } },
  });
});

test("a port that changes meanwhile, and a removal, come after it", async () => {
  await using home = await makeTestHome();
  const { record: source } = await make(home, "source");
  await fill(source, "new");
  const taken = await take(home, "source");
  const { record } = await make(home, "cache");
  await fill(record, "old");
  await beginByHand(home, "cache", taken);
  const port = await freePort();
  await change(home, "cache", { port });
  const changed = await recordOf(home, "cache");
  expect(changed).toMatchObject({ restored: { backup: taken.slot }, server: { wish: { port } } });
  expect(await digestOf(changed)).toBe(await digestOf(source));
  await run(changed, "SET", "after", "1");

  await beginByHand(home, "cache", taken);
  const removal = await remove(home.platform, { name: "cache", token: "t1" }, home.task);
  if (removal.outcome !== "removed" || !("finalBackup" in removal)) throw new Error("no final backup");
  expect(removal.finalBackup).toMatchObject({ keys: 312 });
});

test("the next backup is of the restored data, and the next agent leaves them alone", async () => {
  await using home = await makeTestHome();
  const { record } = await make(home, "cache");
  await fill(record, "old");
  const taken = await take(home, "cache");
  await run(record, "FLUSHALL");
  await restored(home, "cache", taken, { onData: "replace" });
  const next = await home.platform.backUp("cache", home.task);
  expect(next).toMatchObject({ keys: 312, verification: { outcome: "verified" } });
  const pid = await home.serverPid("cache");
  const agent = await home.agentPid();
  process.kill(agent, "SIGKILL");
  const again = await restored(home, "cache", taken);
  expect(again.downtimeMs).toBeUndefined();
  expect(await home.serverPid("cache")).toBe(pid);
  await expectNothingLeft(home, "cache");
  const note = join(layoutOf(home.path).addon("cache").root, "restore.json");
  await expect(readFile(note)).rejects.toMatchObject({ code: "ENOENT" });
  expect(await inspect(home.platform, "cache", home.task)).toMatchObject({ health: "healthy" });
});
