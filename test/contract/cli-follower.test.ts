import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { existsSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { FollowerStatus } from "../../provider/core/follower-status";
import { remove } from "../../provider/operations/remove";
import { eventually, makeTestHome, type TestHome } from "../support/data-home";
import { follows } from "../support/follow";
import { startRedisServer, until } from "../support/redis-server";
import { make, run } from "./agent-support";

const ENTRY = join(import.meta.dirname, "../../dist/provider/cli/main.js");
const execute = promisify(execFile);

let home: TestHome;
const secrets: string[] = [];

beforeAll(async () => {
  home = await makeTestHome();
  for (const name of ["lead", "copy"])
    secrets.push(...Object.values((await make(home, name)).record.credentials));
  await follows(home, { name: "copy", leader: "lead" });
});
afterAll(() => home[Symbol.asyncDispose]());

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const environment = () => ({ ...process.env, TERM: "xterm", REDIS_ADDON_HOME: home.path });

async function follower(...args: string[]): Promise<Result> {
  const command = [ENTRY, "follower", ...args];
  try {
    return { code: 0, ...(await execute(process.execPath, command, { env: environment() })) };
  } catch (error) {
    const { code, stdout, stderr } = error as Result;
    return { code, stdout, stderr };
  }
}

async function statusOf(name: string): Promise<FollowerStatus> {
  return JSON.parse((await follower("status", name, "--json")).stdout) as FollowerStatus;
}

/** The command while it runs, and all that it printed so far. */
interface Running extends AsyncDisposable {
  readonly child: ChildProcess;
  output(): string;
  printed(text: string | RegExp): Promise<void>;
  /** Its exit code. */
  readonly ended: Promise<unknown>;
}

/** Runs a command in a pseudo-terminal, and ends with its exit code. */
const PTY = "import os,pty,sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";

function start(args: readonly string[], { inTerminal = false } = {}): Running {
  const command = [process.execPath, ENTRY, "follower", ...args];
  const [file = "", ...rest] = inTerminal ? ["python3", "-c", PTY, ...command] : command;
  const child = spawn(file, rest, { env: environment(), stdio: "pipe" });
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const ended = once(child, "close").then(([code]: unknown[]) => code);
  return {
    child,
    output: () => output,
    printed: (text) => until(`it to print ${text} after:\n${output}`, () => new RegExp(text).test(output)),
    ended,
    [Symbol.asyncDispose]: async () => {
      child.kill("SIGKILL");
      await ended;
    },
  };
}

describe("redis-addon follower status", () => {
  it("tells people of a follower in sync, and scripts by its exit code", async () => {
    const { port } = (await home.platform.load("lead"))?.server.wish ?? {};
    await eventually(
      "the agent has noted it",
      async () => (await statusOf("copy")).inSyncSince !== undefined,
    );
    const { code, stdout, stderr } = await follower("status", "copy");
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toContain(`Leader         lead (127.0.0.1:${port})\n`);
    expect(stdout).toMatch(/^State +synced$/m);
    expect(stdout).toMatch(/^Link +up$/m);
    expect(stdout).toMatch(/^Lag +\d+ B, \d+ s$/m);
    expect(stdout).toMatch(/^Last in sync +\d{4}-\d\d-\d\dT[\d:.]+Z$/m);
    expect(stdout).toMatch(/^In sync since +\d{4}-\d\d-\d\dT[\d:.]+Z$/m);
  });

  it("gives programs one object, without a secret", async () => {
    const { stdout } = await follower("status", "copy", "--json");
    expect(JSON.parse(stdout)).toMatchObject({
      addon: "copy",
      role: "follower",
      leader: { addon: "lead", host: "127.0.0.1" },
      state: "synced",
      link: "up",
      lagBytes: expect.any(Number) as number,
      lagSeconds: expect.any(Number) as number,
      health: "healthy",
      server: "running",
      problems: [],
    });
    for (const secret of secrets) expect(stdout).not.toContain(secret);
  });

  it("tells of a leader who follows it, with a code of its own", async () => {
    const { code, stdout } = await follower("status", "lead");
    expect(code).toBe(8);
    expect(stdout).toMatch(/^Role +leader$/m);
    expect(stdout).toMatch(/^FOLLOWER +ADDRESS +STATE +LAG$/m);
    expect(stdout).toMatch(/^copy +127\.0\.0\.1:\d+ +online +\d+ B, \d+ s$/m);
    expect((await follower("status", "nothing")).code).toBe(3);
  });

  it("ends with a code that tells a sync under way from one that is broken", async () => {
    await using leader = await startRedisServer({
      args: ["--databases", "1", "--requirepass", "of-far-away", "--repl-diskless-sync-delay", "20"],
    });
    await make(home, "far");
    const address = { host: "127.0.0.1", port: leader.port, password: "of-far-away" };
    const following = follows(home, { name: "far", leader: { kind: "external", ...address } });
    await eventually("it waits", async () => (await statusOf("far")).state === "waiting");
    const waiting = await follower("status", "far");
    expect(waiting.code).toBe(6);
    expect(waiting.stdout).toMatch(/^State +(waiting for|receiving) the leader's snapshot/m);
    await leader.connect({ password: "of-far-away" }).config("SET", "repl-diskless-sync-delay", "0");
    await following;

    await make(home, "short", { deletion: { finalBackup: false } });
    await make(home, "left");
    await follows(home, { name: "left", leader: "short" });
    await remove(home.platform, { name: "short" }, home.task);
    const broken = await follower("status", "left");
    expect(broken.code).toBe(7);
    expect(broken.stdout).toMatch(/^State +broken: the add-on short that it followed is gone$/m);

    const file = join(home.path, "addons", "far", "record.json");
    const record = JSON.parse(await readFile(file, "utf8")) as { replication: object };
    const since = "2026-01-01T00:00:00.000Z";
    const halted = { why: "the snapshot of its leader can't be loaded", since };
    const replication = { ...record.replication, halted };
    await writeFile(file, JSON.stringify({ ...record, replication }));
    const stopped = await follower("status", "far");
    expect(stopped.code).toBe(7);
    expect(stopped.stdout).toMatch(/^State +broken: the snapshot of its leader can't be loaded$/m);
    expect(stopped.stdout).toMatch(/^Halted since +2026-01-01T/m);
  });

  it("watches: a line for each change, and objects for programs, until Ctrl-C", async () => {
    await make(home, "seen");
    await follows(home, { name: "seen", leader: "lead" });
    await using lines = start(["status", "seen", "--watch"]);
    await using objects = start(["status", "seen", "--watch", "--json"]);
    await lines.printed("follower of lead: synced, link up");
    await objects.printed(/"state":"synced"/);
    await follows(home, { name: "seen", leader: "lead", position: "promoted" });
    await lines.printed(/leader \(promoted\), nobody follows it/);
    await objects.printed(/"position":"promoted"/);
    for (const { child } of [lines, objects]) child.kill("SIGINT");
    expect(await Promise.all([lines.ended, objects.ended])).toEqual([130, 130]);
    // Nothing besides: no word of tidying up, no line that says the same again.
    const said = lines.output().trim().split("\n");
    expect(said.map((line) => line.replace(/^\S+ seen: /, "").split(",")[0])).toEqual([
      "follower of lead: synced",
      "leader (promoted)",
    ]);
    const roles = objects.output().trim().split("\n");
    expect(roles.map((line) => (JSON.parse(line) as FollowerStatus).role).at(-1)).toBe("leader");
  });

  it("draws what it watches anew on a terminal", async () => {
    await using watching = start(["status", "copy", "--watch"], { inTerminal: true });
    // Drawn over what was drawn before.
    await until("a second drawing over the first", () => {
      const [first = "", second = "", ...others] = watching.output().split("\u001B[J");
      const back = `\u001B[${first.split("\n").length - 1}A`;
      return others.length > 0 && first.includes("Ctrl-C ends it") && second.startsWith(back);
    });
    watching.child.stdin?.write("\u0003");
    expect(await watching.ended).toBe(130);
    expect(watching.output()).not.toContain("tidying up");
  });
});

describe("redis-addon follower promote", () => {
  it("does nothing before somebody agreed, and says what it would do", async () => {
    const { code, stderr } = await follower("promote", "copy");
    expect(code).toBe(1);
    expect(stderr).toMatch(/copy becomes a leader .* and follows lead \(127\.0\.0\.1:\d+\) no longer/);
    expect(stderr).toContain("add --yes");
    await using asked = start(["promote", "copy"], { inTerminal: true });
    await asked.printed(/Go on\? \[y\/N\] /);
    asked.child.stdin?.write("n\n");
    expect(await asked.ended).toBe(1);
    expect(asked.output()).toContain("nothing was changed");
    expect(await statusOf("copy")).toMatchObject({ role: "follower" });
  });

  it("refuses what follows nobody", async () => {
    const { code, stderr } = await follower("promote", "lead", "--yes");
    expect(code).toBe(1);
    expect(stderr).toContain("it follows nobody: no RedisFollower says whom");
  });

  it("makes a leader with the data at once, and says what the program must say now", async () => {
    await make(home, "next");
    const lead = await home.platform.load("lead");
    if (lead === undefined) throw new Error("there is no lead");
    await run(lead, "SET", "key", "value");
    await follows(home, { name: "next", leader: "lead" });
    await using asked = start(["promote", "next"], { inTerminal: true });
    await asked.printed(/Go on\? \[y\/N\] /);
    asked.child.stdin?.write("y\n");
    expect(await asked.ended).toBe(0);
    expect(asked.output()).toMatch(/next is a leader now, .* up to offset \d+/);
    expect(asked.output()).toContain("promote: true");
    expect(await statusOf("next")).toMatchObject({ role: "leader", position: "promoted" });
    const next = await home.platform.load("next");
    if (next === undefined) throw new Error("there is no next");
    expect(await run(next, "GET", "key")).toBe("value");
    expect(await run(next, "SET", "own", "value")).toBe("OK");
    const again = await follower("promote", "next", "--json");
    expect(JSON.parse(again.stdout)).toMatchObject({ leader: "next" });
  });
});

describe("a follower that led in between", () => {
  it("has been in sync since it follows again, not since before", async () => {
    await make(home, "once");
    const { record } = await follows(home, { name: "once", leader: "lead" });
    await eventually("it is noted", async () => (await statusOf("once")).inSyncSince !== undefined);
    await follows(home, { name: "once", leader: "lead", position: "promoted" });
    const note = join(home.path, "addons", record.name, "sync.json");
    await eventually("it is forgotten", () => Promise.resolve(!existsSync(note)));
    const again = Date.now();
    await follows(home, { name: "once", leader: "lead", replaceData: true });
    const since = await eventually("it is noted again", async () => (await statusOf("once")).inSyncSince);
    expect(Date.parse(since)).toBeGreaterThanOrEqual(again);
  });
});

describe("redis-addon follower resync", () => {
  it("has a follower take what its leader has lost the rest of, once somebody agreed, backed up first", async () => {
    const { record: lost } = await make(home, "lost", { persistence: "none" });
    await make(home, "kept");
    await run(lost, "SET", "key", "value");
    const { record: kept } = await follows(home, { name: "kept", leader: "lost" });
    await eventually("it is noted", async () => (await statusOf("kept")).inSyncSince !== undefined);
    process.kill(await home.serverPid("lost"), "SIGKILL");
    await eventually("it is broken", async () => (await statusOf("kept")).state === "broken");
    expect(await run(kept, "GET", "key")).toBe("value");
    const refused = await follower("resync", "kept");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(
      /what lost has now \(0 keys\) takes the place of what kept holds \(1 key\)/,
    );
    const { code, stdout, stderr } = await follower("resync", "kept", "--yes", "--json");
    expect(code, stderr).toBe(0);
    expect(JSON.parse(stdout)).toMatchObject({
      addon: "kept",
      safetyBackups: [{ addon: "kept", backup: { keys: 1 } }],
    });
    expect(await run(kept, "GET", "key")).toBeNull();
    expect(await statusOf("kept")).toMatchObject({ state: "synced" });
    expect((await follower("resync", "kept")).stdout).toContain("Nothing had kept it from that");
  });

  it("refuses what follows nobody", async () => {
    const { code, stderr } = await follower("resync", "lead", "--yes");
    expect(code).toBe(1);
    expect(stderr).toContain("it follows nobody");
  });
});

describe("redis-addon follower switchover", () => {
  it("refuses what has no leader here that could follow it", async () => {
    const alone = await follower("switchover", "lead", "--yes");
    expect(alone.code).toBe(1);
    expect(alone.stderr).toContain("it follows nobody: no RedisFollower says whom");
    const far = await follower("switchover", "far", "--yes");
    expect(far.code).toBe(1);
    expect(far.stderr).toMatch(/its leader 127\.0\.0\.1:\d+ is no add-on of this data home/);
    expect((await follower("switchover", "copy", "--timeout", "soon")).code).toBe(2);
  });

  it("exchanges the roles and exchanges them back, each time saying how it went", async () => {
    const refused = await follower("switchover", "copy");
    expect(refused.code).toBe(1);
    expect(refused.stderr).toMatch(/copy becomes the leader, and lead follows it/);
    const there = await follower("switchover", "copy", "--yes");
    expect(there, there.stderr).toMatchObject({ code: 0 });
    expect(there.stdout).toContain("copy leads now, and lead follows it.");
    expect(there.stdout).toMatch(/Writes stood still for \d+ ms at most; lead answered/);
    expect(there.stdout).toContain("switchedOver: true");
    expect(await statusOf("lead")).toMatchObject({ role: "follower", leader: { addon: "copy" } });
    expect(await statusOf("copy")).toMatchObject({ role: "leader", position: "switched-over" });
    expect((await follower("promote", "copy", "--yes")).stderr).toContain("follower switchover copy --back");
    const again = await follower("switchover", "copy", "--json");
    expect(JSON.parse(again.stdout)).toMatchObject({ leader: "copy", follower: "lead" });
    // By the name of either of the two.
    const back = await follower("switchover", "lead", "--back", "--yes", "--json");
    expect(JSON.parse(back.stdout)).toMatchObject({
      leader: "lead",
      follower: "copy",
      switchover: { worstStallMs: expect.any(Number) as number },
    });
    expect(await statusOf("copy")).toMatchObject({ role: "follower", leader: { addon: "lead" } });
  });
});
