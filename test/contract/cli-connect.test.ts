import { readdir, readFile } from "node:fs/promises";
import { basename, dirname } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { AddonRecord } from "../../provider/core/facets";
import { connectAdmin } from "../../provider/operations/connect-admin";
import { startAgent, stopAgent } from "../../provider/operations/agent";
import { clis } from "../support/clients-cli";
import { makeTestHome, type TestHome } from "../support/data-home";
import { describeWith, findTool, pathOf } from "../support/tools";
import { make, run } from "./agent-support";
import { makeCli, type Cli } from "./cli-support";

let cli: Cli;
let home: TestHome;
let cache: AddonRecord;

beforeAll(async () => {
  [cli, home] = await Promise.all([makeCli(), makeTestHome()]);
  cache = (await make(home, "cache", { plan: "m_mono" })).record;
  await run(cache, "SET", "greeting", "hello");
});
afterAll(async () => {
  await home[Symbol.asyncDispose]();
  await cli[Symbol.asyncDispose]();
});

/** With this redis-cli alone on the PATH. */
function withCli(path: string) {
  return { env: { REDIS_ADDON_HOME: home.path, PATH: `${dirname(path)}:/usr/bin:/bin` } };
}

describe.each(clis.map((tool) => [tool.name, tool] as const))("redis-addon connect with %s", (_, tool) => {
  describeWith([tool], "the program", () => {
    it("runs a command as the add-on's user and ends with the program's exit code", async () => {
      const got = await cli.run(["connect", "cache", "GET", "greeting"], withCli(tool.path));
      expect(got).toEqual({ code: 0, stdout: "hello\n", stderr: "" });
      const me = await cli.run(["connect", "cache", "--", "ACL", "WHOAMI"], withCli(tool.path));
      expect(me).toEqual({ code: 0, stdout: "default\n", stderr: "" });
      const unknown = await cli.run(["connect", "cache", "--", "--no-such-option"], withCli(tool.path));
      expect(unknown.code).toBe(1);
    });

    it("says that the password doesn't work instead of ending well", async () => {
      const { password } = cache.credentials;
      await using admin = await connectAdmin(home.platform, cache, home.task);
      await admin.command("ACL", "SETUSER", "default", "resetpass", ">another one");
      try {
        const refused = await cli.run(["connect", "cache", "PING"], withCli(tool.path));
        expect(refused).toMatchObject({ code: 1, stdout: "" });
        expect(refused.stderr).toContain("cannot connect to cache");
        expect(refused.stderr).not.toContain(password);
      } finally {
        await admin.command("ACL", "SETUSER", "default", "resetpass", `>${password}`);
      }
    });
  });
});

describeWith([findTool("redis-cli")], "redis-addon connect", () => {
  const environment = () => withCli(pathOf(findTool("redis-cli")));

  it("has the password in no process's arguments", async () => {
    const waiting = cli.start(["connect", "cache", "--", "SUBSCRIBE", "news"], environment());
    await waiting.printed("subscribe");
    const running = [waiting.pid, ...(await childrenOf(waiting.pid))];
    const commands = await Promise.all(running.map((pid) => readFile(`/proc/${pid}/cmdline`, "utf8")));
    expect(commands.some((command) => basename(command.split("\0")[0] ?? "").includes("redis-cli"))).toBe(
      true,
    );
    for (const command of commands) expect(command).not.toContain(cache.credentials.password);
    waiting.child.kill("SIGTERM");
    expect((await waiting.result).code).toBe(143);
  });

  it("leaves Ctrl-C to redis-cli", async () => {
    const waiting = cli.startInTerminal(["connect", "cache", "SUBSCRIBE", "news"], environment());
    await waiting.printed("subscribe");
    waiting.child.stdin?.write("\u0003");
    const { code, stdout } = await waiting.result;
    // Of a redis-cli that a signal ends.
    expect(code).toBe(130);
    expect(stdout).not.toContain("stopping and tidying up");
  });

  it("gives redis-cli the terminal", async () => {
    // What edits a line by itself first asks this terminal where its cursor is, and gets no answer.
    const { env } = environment();
    const prompt = cli.startInTerminal(["connect", "cache"], { env: { ...env, TERM: "dumb" } });
    await prompt.printed(`127.0.0.1:${cache.server.wish.port}>`);
    prompt.child.stdin?.write("GET greeting\n");
    await prompt.printed('"hello"');
    prompt.child.stdin?.write("QUIT\n");
    expect((await prompt.result).code).toBe(0);
  });

  it("uses the database that was named, and says which there are where there is no such one", async () => {
    const set = await cli.run(["connect", "cache", "--db", "3", "SET", "there", "yes"], environment());
    expect(set).toMatchObject({ code: 0, stdout: "OK\n" });
    const elsewhere = await cli.run(["connect", "cache", "EXISTS", "there"], environment());
    expect(elsewhere.stdout).toBe("0\n");
    const none = await cli.run(["connect", "cache", "--db", "5"], environment());
    expect(none).toMatchObject({ code: 2, stdout: "" });
    expect(none.stderr).toContain("its plan has the databases 0 to 4");
    expect((await cli.run(["connect", "cache", "--db", "x"], environment())).code).toBe(2);
  });

  it("says where there is no such add-on what there is", async () => {
    const none = await cli.run(["connect", "cash", "PING"], environment());
    expect(none).toMatchObject({ code: 3, stdout: "" });
    expect(none.stderr).toContain("there are only cache");
  });

  it("says why a server doesn't run, and what starts it", async () => {
    await stopAgent(home.path, false, home.task);
    try {
      const down = await cli.run(["connect", "cache", "PING"], environment());
      expect(down).toMatchObject({ code: 1, stdout: "" });
      expect(down.stderr).toContain("the agent was stopped");
      expect(down.stderr).toContain("redis-addon restart cache");
    } finally {
      await startAgent(home.path, home.task);
    }
  });
});

describe("redis-addon connect where there is no redis-cli", () => {
  it("says how to get one, and how others reach the add-on", async () => {
    const env = { REDIS_ADDON_HOME: home.path, PATH: "/nowhere" };
    const none = await cli.run(["connect", "cache", "PING"], { env });
    expect(none).toMatchObject({ code: 1, stdout: "" });
    expect(none.stderr).toContain("apt-get install redis-tools");
    expect(none.stderr).toContain("redis-addon info cache --reveal");
  });
});

async function childrenOf(parent: number): Promise<number[]> {
  const pids = (await readdir("/proc")).filter((entry) => /^\d+$/.test(entry)).map(Number);
  const parents = await Promise.all(
    pids.map(async (pid) => {
      const stat = await readFile(`/proc/${pid}/stat`, "utf8").catch(() => "");
      return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
    }),
  );
  return pids.filter((_, i) => parents[i] === parent);
}
