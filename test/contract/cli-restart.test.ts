import { spawn } from "node:child_process";
import { once } from "node:events";
import { rename, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { inspect } from "../../provider/operations/inspect";
import { previewRestart, restart } from "../../provider/operations/restart";
import { eventually, makeTestHome, type TestHome } from "../support/data-home";
import { follows } from "../support/follow";
import { redisAddon as runRedisAddon } from "../support/redis-addon";
import { make, run } from "./agent-support";

const ENTRY = join(import.meta.dirname, "../../dist/provider/cli/main.js");
/** Runs a command in a pseudo-terminal, and ends with its exit code. */
const PTY = "import os,pty,sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";

let home: TestHome;

beforeAll(async () => {
  home = await makeTestHome();
});
afterAll(() => home[Symbol.asyncDispose]());

const redisAddon = (...args: string[]) => runRedisAddon(home.path, ...args);

async function keysOf(name: string): Promise<number | undefined> {
  const status = await inspect(home.platform, name, home.task);
  return status?.server.state === "running" ? status.server.keys : undefined;
}

describe("redis-addon restart", () => {
  it("says what it means, and does it only once somebody agreed", async () => {
    await make(home, "asked");
    const before = await home.serverPid("asked");
    const unagreed = await redisAddon("restart", "asked");
    expect(unagreed).toMatchObject({ code: 1, stdout: "" });
    expect(unagreed.stderr).toMatch(/asked answers nobody while its server restarts \(about 0\.5 s\)/);
    expect(unagreed.stderr).toContain("To do it, add --yes");
    expect(await home.serverPid("asked")).toBe(before);
    const agreed = await redisAddon("restart", "asked", "--yes");
    expect(agreed).toMatchObject({
      code: 0,
      stdout: expect.stringMatching(/^asked is restarted; it was away for \d+ ms\.$/m) as string,
    });
    expect(await home.serverPid("asked")).not.toBe(before);
  });

  it("changes nothing where Ctrl-C is the answer, and says that alone", async () => {
    await make(home, "unsure");
    const before = await home.serverPid("unsure");
    const child = spawn("python3", ["-c", PTY, process.execPath, ENTRY, "restart", "unsure"], {
      env: { ...process.env, REDIS_ADDON_HOME: home.path },
      stdio: "pipe",
    });
    let output = "";
    child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
    const ended = once(child, "close");
    await eventually("it asks", async () => output.includes("Go on? [y/N]"));
    child.stdin.write("\u0003");
    expect(await ended).toEqual([130, null]);
    const [, said = ""] = output.split("[y/N]");
    expect(said).toMatch(/\nredis-addon: cannot restart unsure: nobody agreed; nothing was changed\r?\n$/);
    for (const other of ["tidying up", "aborted"]) expect(said).not.toContain(other);
    expect(await home.serverPid("unsure")).toBe(before);
  });

  it.each(["everysec", "none"] as const)(
    "keeps the data of a server that keeps them as `%s`, and tells how long it was away",
    async (persistence) => {
      const name = `kept-${persistence}`;
      const { record } = await make(home, name, { persistence });
      await run(record, "SET", "kept", "yes");
      const restarted = await redisAddon("restart", name, "--yes", "--json");
      expect(restarted.code).toBe(0);
      const { awayMs, ...told } = JSON.parse(restarted.stdout) as { awayMs: number };
      expect(told).toEqual({ addon: name, outcome: "restarted" });
      expect(awayMs).toBeGreaterThan(0);
      expect(await run(record, "GET", "kept")).toBe("yes");
    },
  );

  it("restarts once where two ask for it at the same moment", async () => {
    await make(home, "twice");
    const before = await home.serverPid("twice");
    const both = await Promise.all([
      restart(home.platform, "twice", home.task),
      restart(home.platform, "twice", home.task),
    ]);
    expect(both.map(({ outcome }) => outcome)).toEqual(["restarted", "restarted"]);
    const away = both.flatMap((one) => (one.outcome === "restarted" ? [one.awayMs] : []));
    expect(away.filter((ms) => ms !== undefined)).toHaveLength(1);
    expect(await home.serverPid("twice")).not.toBe(before);
  });

  it("is completed by the next agent where this one is killed in the middle", async () => {
    const { record } = await make(home, "cut");
    await run(record, "SET", "kept", "yes");
    const before = await home.serverPid("cut");
    const agent = await home.agentPid();
    const { task } = home;
    const progress = ({ message }: { readonly message: string }) => {
      if (message === "restarting the server") process.kill(agent, "SIGKILL");
    };
    const restarted = await restart(home.platform, "cut", { ...task, progress });
    expect(restarted.outcome).toBe("restarted");
    expect(await home.agentPid()).not.toBe(agent);
    expect(await home.serverPid("cut")).not.toBe(before);
    expect(await run(record, "GET", "kept")).toBe("yes");
  });

  it("of a leader costs its follower no key, and it follows on", async () => {
    const { record: leader } = await make(home, "leads");
    await make(home, "copies");
    for (let i = 0; i < 5; i++) await run(leader, "SET", `key:${i}`, "value");
    await follows(home, { name: "copies", leader: "leads" });
    const told = await redisAddon("restart", "leads");
    expect(told.stderr).toContain("its follower takes its data anew once it is back");
    expect((await redisAddon("restart", "leads", "--yes")).code).toBe(0);
    expect(await keysOf("copies")).toBe(5);
    await run(leader, "SET", "after", "restart");
    await eventually("the follower has it", async () => (await keysOf("copies")) === 6);
  });

  it("of a follower ends with what its leader has", async () => {
    const { record: leader } = await make(home, "source");
    const { record: copy } = await make(home, "copy");
    await run(leader, "SET", "first", "1");
    await follows(home, { name: "copy", leader: "source" });
    const told = await redisAddon("restart", "copy");
    expect(told.stderr).toContain("it takes its leader's data anew once it is back");
    expect((await redisAddon("restart", "copy", "--yes")).code).toBe(0);
    await run(leader, "SET", "second", "2");
    await eventually("it has both", async () => (await keysOf("copy")) === 2);
    await expect(run(copy, "SET", "no", "write")).rejects.toThrow("takes no writes");
  });

  it("starts a server that doesn't run, without a question, and says why it can't", async () => {
    const { record } = await make(home, "down");
    await run(record, "SET", "kept", "yes");
    const data = join(home.path, "addons", "down", "data");
    await rename(data, `${data}.away`);
    process.kill(await home.serverPid("down"), "SIGKILL");
    await eventually(
      "it is down",
      async () => (await inspect(home.platform, "down", home.task))?.server.state === "stopped",
    );
    const failed = await redisAddon("restart", "down");
    expect(failed.code).toBe(1);
    expect(failed.stderr).toContain("holds no data any more");
    await rm(data, { recursive: true, force: true });
    await rename(`${data}.away`, data);
    const started = await redisAddon("restart", "down");
    expect(started).toMatchObject({ code: 0, stdout: "down did not run: it is started.\n" });
    expect(await run(record, "GET", "kept")).toBe("yes");
  });

  it("is refused by the agent too where a removal was cut off", async () => {
    const { record } = await make(home, "going");
    const before = await home.serverPid("going");
    const file = join(home.path, "addons", "going", "record.json");
    const since = new Date().toISOString();
    await writeFile(file, JSON.stringify({ ...record, removing: { since } }));
    await expect(previewRestart(home.platform, "going", home.task)).rejects.toThrow("it is being removed");
    await expect(restart(home.platform, "going", home.task)).rejects.toThrow("it is being removed");
    expect(await home.serverPid("going")).toBe(before);
  });

  it("says where there is no such add-on what there is", async () => {
    expect((await redisAddon("restart", "nothing", "--yes")).code).toBe(3);
  });
});
