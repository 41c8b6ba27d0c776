import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, readdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AddonRecord } from "../../provider/core/facets";
import { provision } from "../support/provision";
import { creates, makeTestHome, SMALL, type TestHome } from "../support/data-home";
import { until } from "../support/redis-server";

const ROOT = join(import.meta.dirname, "../..");
const ENTRY = join(ROOT, "dist/provider/cli/main.js");
const run = promisify(execFile);

let home: TestHome;
let record: AddonRecord;

beforeAll(async () => {
  home = await makeTestHome();
  const request = { name: "cache", claim: creates("t1"), wish: SMALL, given: ["plan"] };
  record = await provision(home.platform, request, home.task);
});
afterAll(() => home[Symbol.asyncDispose]());

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function redisAddon(...args: string[]): Promise<Result> {
  const environment = { ...process.env, REDIS_ADDON_HOME: home.path };
  try {
    const { stdout, stderr } = await run(process.execPath, [ENTRY, ...args], { env: environment });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as Result;
    return { code, stdout, stderr };
  }
}

describe("redis-addon", () => {
  it("lists add-ons for people and, as an array, for programs, with no password in either", async () => {
    const table = await redisAddon("list");
    expect(table.stdout).toMatch(/^NAME +HEALTH +ROLE +ADDRESS/);
    expect(table.stdout).toMatch(/^cache +healthy +leader +127\.0\.0\.1:\d+/m);
    const json = await redisAddon("list", "--json");
    expect(JSON.parse(json.stdout)).toMatchObject([
      { name: "cache", health: "healthy", server: { state: "running" } },
    ]);
    for (const output of [table, json])
      for (const password of Object.values(record.credentials)) expect(output.stdout).not.toContain(password);
  });

  it("shows credentials only when it is told to", async () => {
    const { password } = record.credentials;
    const hidden = await redisAddon("info", "cache");
    expect(hidden.stdout).toContain("redis://default:[secret]@127.0.0.1:");
    expect(hidden.stdout).not.toContain(password);
    expect((await redisAddon("info", "cache", "--json")).stdout).not.toContain(password);
    const shown = await redisAddon("info", "cache", "--reveal");
    expect(shown.stdout).toContain(`redis://default:${password}@127.0.0.1:${record.server.wish.port}`);
  });

  it("takes a verified backup and lists it", async () => {
    const taken = await redisAddon("backup", "run", "cache", "--json");
    const { slot, archive } = JSON.parse(taken.stdout) as { slot: string; archive: string };
    const listed = await redisAddon("backup", "list", "cache", "--json");
    expect(JSON.parse(listed.stdout)).toMatchObject([
      { slot, archive, reason: "demand", verification: "verified", pinned: false },
    ]);
    expect((await redisAddon("backup", "list", "cache")).stdout).toContain(archive);
    expect((await redisAddon("info", "cache")).stdout).toContain(`backed up, ${slot}, verified`);
  });

  it("verifies, shows, pins, downloads and deletes an add-on's backups by its name", async () => {
    const taken = await redisAddon("backup", "run", "cache", "--json");
    const { slot } = JSON.parse(taken.stdout) as { slot: string };
    expect(await redisAddon("backup", "verify", "cache")).toMatchObject({ code: 0 });
    expect((await redisAddon("backup", "pin", "cache", "latest-verified")).stdout).toContain(slot);
    expect((await redisAddon("backup", "show", "cache", slot)).stdout).toMatch(/^Pinned +yes$/m);
    await redisAddon("backup", "unpin", "cache", slot);
    const copy = join(home.path, "copy");
    expect(await redisAddon("backup", "download", "cache", slot, "--extract", copy)).toMatchObject({
      code: 0,
    });
    expect(await readdir(copy)).toContain("dump.rdb");
    const refused = await redisAddon("backup", "delete", "cache", slot, "--yes");
    expect(refused).toMatchObject({ code: 1, stdout: "" });
    expect(refused.stderr).toContain("--even-newest-verified");
    const deleted = await redisAddon("backup", "delete", "cache", slot, "--yes", "--even-newest-verified");
    expect(deleted.stdout).toContain(slot);
    const left = await redisAddon("backup", "list", "cache", "--json");
    expect(left.stdout).not.toContain(slot);
  });

  it("says at Ctrl-C that the agent goes on with the backup, and it does", async () => {
    const before = await redisAddon("backup", "list", "cache", "--json");
    const server = await home.serverPid("cache");
    process.kill(server, "SIGSTOP");
    const child = spawn(process.execPath, [ENTRY, "backup", "run", "cache"], {
      env: { ...process.env, REDIS_ADDON_HOME: home.path },
      stdio: ["ignore", "ignore", "pipe"],
    });
    let stderr = "";
    child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
    try {
      await until("the backup to begin", () => stderr.includes("connecting to"));
      const ended = once(child, "close");
      child.kill("SIGINT");
      expect(await ended).toEqual([130, null]);
      expect(stderr).toContain("the agent goes on with the backup");
    } finally {
      process.kill(server, "SIGCONT");
      child.kill("SIGKILL");
    }
    await until("the backup to be listed", async () => {
      const listed = await redisAddon("backup", "list", "cache", "--json");
      return (JSON.parse(listed.stdout) as []).length > (JSON.parse(before.stdout) as []).length;
    });
  });

  it("tells by its exit code what went wrong, and by its message what there is", async () => {
    const missing = await redisAddon("info", "nothing");
    expect(missing).toMatchObject({ code: 3, stdout: "" });
    expect(missing.stderr).toContain(`there are only cache. The data home is ${home.path}`);
    expect((await redisAddon("info", "cachee")).stderr).toContain(
      "there is none of that name, but there is cache",
    );
    const url = await redisAddon("connect", "redis://:hunter2@db");
    expect(url).toMatchObject({ code: 2, stderr: expect.not.stringContaining("hunter2") as string });
    expect((await redisAddon("backup", "run", "nothing")).code).toBe(3);
    const unknown = await redisAddon("lisst");
    expect(unknown).toMatchObject({ code: 2, stdout: "" });
    expect(unknown.stderr).toBe(
      "redis-addon: unknown command 'lisst'\n(Did you mean list?)\nSee redis-addon --help\n",
    );
    const incomplete = await redisAddon("backup", "show", "cache");
    expect(incomplete.code).toBe(2);
    expect(incomplete.stderr).toMatch(
      /^redis-addon: missing required argument 'backup'\nSee .* backup show --help$/m,
    );
    expect((await redisAddon("hand-over", "cache", "--to", "nonsense")).code).toBe(2);
    expect((await redisAddon("--help")).code).toBe(0);
  });

  it("tells its version, and on a Node.js that is too old for it what it needs, instead of failing somewhere", async () => {
    const { version } = JSON.parse(await readFile(join(ROOT, "package.json"), "utf8")) as { version: string };
    expect(await redisAddon("--version")).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
    const old = join(home.path, "old-node.cjs");
    await writeFile(old, 'Object.defineProperty(process, "version", { value: "v20.19.0" });');
    const refused = run(process.execPath, ["--require", old, ENTRY, "list"]);
    await expect(refused).rejects.toMatchObject({
      code: 1,
      stdout: "",
      stderr: expect.stringMatching(
        /^redis-addon: cannot run with Node\.js v20\.19\.0 .* need 22\.13 or newer/,
      ) as string,
    });
  });

  it("says of an agent that is stuck, and of a data home that can't be read, that nobody can tell", async () => {
    const pid = await home.agentPid();
    process.kill(pid, "SIGSTOP");
    try {
      const stuck = await redisAddon("agent", "status");
      expect(stuck).toMatchObject({ code: 1, stdout: "" });
      expect(stuck.stderr).toMatch(
        /^redis-addon: cannot ask the agent of .*: it runs, and does not answer\..* doctor/,
      );
    } finally {
      process.kill(pid, "SIGCONT");
    }
    const unreadable = join(home.path, "unreadable");
    await mkdir(unreadable);
    await symlink("home.json", join(unreadable, "home.json"));
    for (const command of ["status", "stop"])
      expect(await redisAddon("--home", unreadable, "agent", command)).toMatchObject({
        code: 1,
        stdout: "",
        stderr: expect.stringContaining("cannot use the data home") as string,
      });
    expect(await redisAddon("--home", "", "list")).toMatchObject({ code: 2, stdout: "" });
  });

  it("tells whether the agent runs, stops it with its servers, and starts both again", async () => {
    const before = JSON.parse((await redisAddon("agent", "status", "--json")).stdout) as {
      agent: { pid: number };
    };
    expect(before.agent.pid).toBe(await home.agentPid());
    expect((await redisAddon("agent", "stop")).stdout).toContain("cache");
    expect((await redisAddon("agent", "status")).stdout).toContain("No agent runs");
    expect((await redisAddon("list")).stdout).toMatch(/^cache +down/m);
    await redisAddon("agent", "start");
    const list = await redisAddon("list", "--json");
    expect(JSON.parse(list.stdout)).toHaveLength(1);
  });

  it("deletes only what it is asked for twice, and names the final backup", async () => {
    const asked = await redisAddon("delete", "cache");
    expect(asked.code).toBe(1);
    expect(asked.stderr).toContain("made by the stack shop/dev");
    expect(await home.platform.names()).toEqual(["cache"]);
    const deleted = await redisAddon("delete", "cache", "--yes");
    expect(deleted.stdout).toMatch(/its final backup: file:\/\/\S+\.tar\.gz/);
    expect(await home.platform.names()).toEqual([]);
    // Its backups are found by what is said then.
    const { stderr } = await redisAddon("backup", "list", "cache");
    const [, store = ""] = /backup list --store (\S+)$/m.exec(stderr) ?? [];
    expect((await redisAddon("backup", "list", "--store", store)).stdout).toContain(record.catalogKey);
  });
});
