import { execFile } from "node:child_process";
import { mkdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { promisify } from "node:util";
import type { Redis } from "ioredis";
import { expect, it } from "vitest";
import type { AddonRecord } from "../../provider/core/facets";
import { redisUrl } from "../../provider/core/uri";
import { startAgent } from "../../provider/operations/agent";
import { setBackups } from "../../provider/operations/backups";
import { connectAdmin } from "../../provider/operations/connect-admin";
import { previewFollow } from "../../provider/operations/preview-follow";
import type { OnData } from "../../provider/platforms/contract";
import { numberIn, type Info } from "../../provider/redis/info";
import { creates, eventually, makeTestHome, type TestHome } from "../support/data-home";
import { follows } from "../support/follow";
import { startWriters } from "../support/persistent-writers";
import { startRedisServer } from "../support/redis-server";
import { make, run } from "./agent-support";
import { temporaryFolder } from "./backup-support";

const LIBRARY = "#!lua name=mine\nredis.register_function('f', function() return 1 end)";

/** Two add-ons, each with a key of its own. */
async function pair(home: TestHome): Promise<{ lead: AddonRecord; copy: AddonRecord }> {
  const { record: lead } = await make(home, "lead");
  const { record: copy } = await make(home, "copy");
  await run(lead, "SET", "theirs", "1");
  await run(copy, "SET", "mine", "1");
  return { lead, copy };
}

/** As the operation tells the platform, without having looked first. */
function applyFollow(home: TestHome, name: string, leader: string, onData?: OnData, task = home.task) {
  const change = { facet: "replication", name, claim: creates("f1"), given: [] } as const;
  const wish = { kind: "addon", addon: leader } as const;
  return home.platform.apply({ ...change, wish, ...(onData === undefined ? {} : { onData }) }, task);
}

async function infoOf(home: TestHome, record: AddonRecord): Promise<Info> {
  await using client = await connectAdmin(home.platform, record, home.task);
  return await client.info();
}

async function expectUntouched(home: TestHome, copy: AddonRecord): Promise<void> {
  await eventually(
    "users write again",
    async () => (await run(copy, "SET", "after", "1").catch(() => "")) === "OK",
  );
  expect(await run(copy, "GET", "mine")).toBe("1");
  expect((await home.platform.load("copy"))?.replication).toBeUndefined();
  expect((await infoOf(home, copy)).get("role")).toBe("master");
}

/** Opens a backup as its README says. */
async function opened(archive: string): Promise<{ client: Redis } & AsyncDisposable> {
  const folder = await temporaryFolder();
  await promisify(execFile)("tar", ["-xzf", fileURLToPath(archive), "-C", folder.path]);
  const server = await startRedisServer({ dir: folder.path, config: "redis.conf" });
  return {
    client: server.client,
    [Symbol.asyncDispose]: async () => {
      await server[Symbol.asyncDispose]();
      await folder[Symbol.asyncDispose]();
    },
  };
}

/** Enough for a backup that is still being taken when its beginning has been told. */
async function fill(home: TestHome, record: AddonRecord): Promise<void> {
  await using admin = await connectAdmin(home.platform, record, home.task);
  const populate = "for i = 1, ARGV[1] do redis.call('SET', 'filler:' .. i, i) end";
  for (let round = 0; round < 3; round++) await admin.command("EVAL", populate, 0, 50_000);
}

it("data of its own are refused, told with the remedy, and users go on writing", async () => {
  await using home = await makeTestHome();
  const { copy } = await pair(home);
  await run(copy, "FUNCTION", "LOAD", LIBRARY);
  const refused = {
    code: "holds-data",
    cause: expect.stringContaining("it holds 1 key and 1 library of functions of its own") as unknown,
    hint: expect.stringContaining("`replaceData: true`") as unknown,
  };
  await expect(follows(home, { name: "copy", leader: "lead" })).rejects.toMatchObject(refused);
  await expectUntouched(home, copy);
  for (const onData of [undefined, "refuse", "keep"] as const) {
    await expect(applyFollow(home, "copy", "lead", onData), String(onData)).rejects.toMatchObject({
      code: "holds-data",
      hint: refused.hint,
    });
    await expectUntouched(home, copy);
  }
  const wish = { kind: "addon", addon: "lead" } as const;
  expect(await previewFollow(home.platform, { name: "copy", wish })).toEqual({
    findings: [],
    replaces: { held: { keys: 2, libraries: 1 }, follows: false },
  });
});

it("all that was acknowledged is in the backup that is taken before, and what comes later is refused", async () => {
  await using home = await makeTestHome();
  const { copy } = await pair(home);
  await fill(home, copy);
  const url = redisUrl({
    host: "127.0.0.1",
    port: copy.server.wish.port,
    password: copy.credentials.password,
  });
  await using writers = await startWriters(url, 4);
  await eventually("they write", () => Promise.resolve(writers.acknowledged() > 2_000));

  const { safetyBackup } = await follows(home, { name: "copy", leader: "lead", replaceData: true });
  const { acknowledged, refusals } = await writers.stop();
  expect(refusals).toContain("NOPERM");
  expect(await run(copy, "KEYS", "*")).toEqual(["theirs"]);
  expect(safetyBackup).toMatchObject({ verification: { outcome: "verified" } });
  expect(home.messages).toContainEqual(expect.stringContaining(`backup ${safetyBackup?.slot} taken`));

  await using backup = await opened(safetyBackup?.archive ?? "");
  for (const [list, count] of Object.entries(acknowledged))
    // A write may have been taken while its answer was lost with the connection.
    expect([count, count + 1]).toContain(await backup.client.llen(list));
  expect(await backup.client.get("mine")).toBe("1");
});

it("a backup that can't be taken leaves everything as it was, and users write again", async () => {
  await using home = await makeTestHome();
  const { copy } = await pair(home);
  const destination = join(home.path, "elsewhere");
  await mkdir(destination);
  const wish = {
    schedule: { daily: "03:00" },
    retention: { days: 7 },
    destination: pathToFileURL(destination).href,
  };
  await setBackups(home.platform, { name: "copy", claim: creates("b1"), given: [], wish }, home.task);
  await rm(destination, { recursive: true });
  await writeFile(destination, "no folder");
  const following = follows(home, { name: "copy", leader: "lead", replaceData: true });
  await expect(following).rejects.toMatchObject({ operation: "back up" });
  await expectUntouched(home, copy);
});

it("an agent that is killed in the middle of it gives users their rights back, and the next try replaces", async () => {
  await using home = await makeTestHome();
  const { copy } = await pair(home);
  await fill(home, copy);
  const agent = await home.agentPid();
  const abandoned = new AbortController();
  const backingUp = Promise.withResolvers<void>();
  const task = {
    ...home.task,
    signal: abandoned.signal,
    progress: ({ message }: { message: string }) => {
      if (message.startsWith("backing up")) backingUp.resolve();
    },
  };
  const following = applyFollow(home, "copy", "lead", "replace", task).catch(String);
  await backingUp.promise;
  await expect(run(copy, "SET", "mine", "2")).rejects.toMatchObject({ code: "not-permitted" });
  abandoned.abort(new Error("the caller has gone as well"));
  process.kill(agent, "SIGKILL");
  await following;
  await startAgent(home.path, home.task);
  await expectUntouched(home, copy);

  const { safetyBackup } = await follows(home, { name: "copy", leader: "lead", replaceData: true });
  expect(await run(copy, "KEYS", "*")).toEqual(["theirs"]);
  await using backup = await opened(safetyBackup?.archive ?? "");
  expect(await backup.client.get("after")).toBe("1");
});

it("a server that is started anew in the middle of it takes writes again, and nothing of it is replaced", async () => {
  await using home = await makeTestHome();
  const { copy } = await pair(home);
  await fill(home, copy);
  const server = await home.serverPid("copy");
  const task = {
    ...home.task,
    progress: ({ message }: { message: string }) => {
      if (message.startsWith("backing up")) process.kill(server, "SIGKILL");
    },
  };
  await expect(applyFollow(home, "copy", "lead", "replace", task)).rejects.toMatchObject({ transient: true });
  await expectUntouched(home, copy);
});

it("a caller that goes away in the middle of it leaves everything as it was", async () => {
  await using home = await makeTestHome();
  const { copy } = await pair(home);
  await fill(home, copy);
  const abandoned = new AbortController();
  const task = {
    ...home.task,
    signal: abandoned.signal,
    progress: ({ message }: { message: string }) => {
      if (message.startsWith("backing up")) abandoned.abort(new Error("enough"));
    },
  };
  await expect(applyFollow(home, "copy", "lead", "replace", task)).rejects.toThrow("enough");
  await expectUntouched(home, copy);
});

it("going over to a sibling, or to a follower that was promoted, sends nothing twice and wants no permission", async () => {
  await using home = await makeTestHome();
  const { lead } = await pair(home);
  const { record: first } = await make(home, "first");
  const { record: second } = await make(home, "second");
  for (const name of ["first", "second"])
    expect(await follows(home, { name, leader: "lead" })).toMatchObject({ safetyBackup: undefined });
  const fullSyncs = async (record: AddonRecord) => numberIn(await infoOf(home, record), "sync_full");
  expect(await fullSyncs(lead)).toBe(2);

  expect(await follows(home, { name: "first", leader: "second" })).toMatchObject({ safetyBackup: undefined });
  await run(lead, "SET", "later", "1");
  await eventually("it arrives by the sibling", async () => (await run(first, "GET", "later")) === "1");
  await follows(home, { name: "first", leader: "lead" });
  expect([await fullSyncs(lead), await fullSyncs(second)]).toEqual([2, 0]);

  // Whoever asks for it, and whatever may be replaced: nobody follows itself.
  await expect(applyFollow(home, "lead", "first", "replace")).rejects.toMatchObject({
    code: "replication-loop",
    cause: "it would follow itself: lead follows first follows lead",
  });
  expect(await run(lead, "SET", "later", "2")).toBe("OK");

  // Promoted with everything that its leader had: that one can go on from there.
  await follows(home, { name: "first", leader: "lead", position: "promoted" });
  await follows(home, { name: "lead", leader: "first" });
  expect(await fullSyncs(first)).toBe(0);
  expect(await run(lead, "GET", "theirs")).toBe("1");
});

it("what it has from a leader that is gone is backed up before another one's replaces it", async () => {
  await using home = await makeTestHome();
  const { copy } = await pair(home);
  await using gone = await startRedisServer({ args: ["--databases", "1"] });
  await gone.client.set("from the old leader", "1");
  const external = { kind: "external", host: "127.0.0.1", port: gone.port, password: "" } as const;
  await follows(home, { name: "copy", leader: external, replaceData: true });
  await gone.stop();

  const refused = follows(home, { name: "copy", leader: "lead" });
  await expect(refused).rejects.toMatchObject({
    code: "holds-data",
    cause: expect.stringContaining("1 key from the leader it follows now") as unknown,
  });
  const { safetyBackup } = await follows(home, { name: "copy", leader: "lead", replaceData: true });
  expect(await run(copy, "KEYS", "*")).toEqual(["theirs"]);
  await using backup = await opened(safetyBackup?.archive ?? "");
  expect(await backup.client.keys("*")).toEqual(["from the old leader"]);
});

it("following the same leader again changes nothing and takes no backup", async () => {
  await using home = await makeTestHome();
  const { lead, copy } = await pair(home);
  await follows(home, { name: "copy", leader: "lead", replaceData: true });
  const before = await home.platform.load("copy");
  const again = await follows(home, { name: "copy", leader: "lead", replaceData: true });
  expect(again.safetyBackup).toBeUndefined();
  expect(await home.platform.load("copy")).toEqual(before);
  expect(numberIn(await infoOf(home, lead), "sync_full")).toBe(1);
  expect(await run(copy, "GET", "theirs")).toBe("1");
  // It says how much room there is, so that a preview can tell where there is too little.
  expect((await home.platform.placement("copy"))?.freeBytes).toBeGreaterThan(0);
});
