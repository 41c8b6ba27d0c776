import { execFile } from "node:child_process";
import { once } from "node:events";
import { appendFile, readFile, stat, writeFile } from "node:fs/promises";
import { createServer } from "node:net";
import { getPriority } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { agentStatus, consoleLogin, startAgent, stopAgent } from "../../provider/operations/agent";
import { identify } from "../../provider/system/processes";
import { makeCheckout } from "../support/checkout";
import { eventually, makeTestHome, type TestHome } from "../support/data-home";

// As agents are started without a test.
beforeEach(() => vi.stubEnv("REDIS_ADDON_CONSOLE", ""));
afterEach(() => vi.unstubAllEnvs());

async function logIn(home: TestHome): Promise<{ readonly origin: string; readonly cookie: string }> {
  const { url } = await consoleLogin(home.path, home.task);
  const answer = await fetch(url, { redirect: "manual" });
  const [cookie = ""] = answer.headers.getSetCookie();
  return { origin: new URL(url).origin, cookie: cookie.split(";")[0] ?? "" };
}

async function statusOf({ origin, cookie }: { origin: string; cookie: string }): Promise<number> {
  return (await fetch(origin, { headers: { cookie } })).status;
}

async function consolePid(home: TestHome): Promise<number> {
  const note = JSON.parse(await readFile(join(home.path, "console.json"), "utf8")) as { pid: number };
  return note.pid;
}

async function isGone(pid: number): Promise<boolean> {
  return (await identify(pid)) === undefined;
}

describe("the console that the agent serves", () => {
  it("is there by itself, on loopback, and behind the servers", async () => {
    await using home = await makeTestHome();
    await startAgent(home.path, home.task);
    const origin = await eventually("it is noted", async () => (await agentStatus(home.path)).console);
    expect(origin).toMatch(/^http:\/\/127\.0\.0\.1:3[01]\d{3}$/);
    expect((await fetch(origin)).status).toBe(401);
    expect(getPriority(await consolePid(home))).toBe(5);
    const note = join(home.path, "console.json");
    expect((await stat(note)).mode & 0o777).toBe(0o600);
    expect(Object.keys(JSON.parse(await readFile(note, "utf8")) as object).sort()).toEqual([
      "origin",
      "pid",
      "startedAt",
    ]);
  });

  it("is there at once for who wants to log in, and loads pages with what lies beside the agent", async () => {
    await using home = await makeTestHome();
    const session = await logIn(home);
    const page = await fetch(session.origin, { headers: { cookie: session.cookie } });
    expect(page.status).toBe(200);
    expect(await page.text()).toContain(home.path);
    expect((await fetch(`${session.origin}/assets/console.css`)).status).toBe(200);
  });

  it("goes on at the same address once it crashed, and everybody logs in again", async () => {
    await using home = await makeTestHome();
    const before = await logIn(home);
    const pid = await consolePid(home);
    process.kill(pid, "SIGKILL");
    await eventually("the crashed one is gone", () => isGone(pid));
    await eventually(
      "it is served again",
      async () => (await agentStatus(home.path)).console === before.origin,
    );
    expect(await consolePid(home)).not.toBe(pid);
    expect(await statusOf(before)).toBe(401);
    expect(await statusOf(await logIn(home))).toBe(200);
  });

  it("ends with the agent, stopped or killed, and is at the same address with the next one", async () => {
    await using home = await makeTestHome();
    const { origin } = await logIn(home);
    const first = await consolePid(home);
    await stopAgent(home.path, true, home.task);
    await eventually("the first one ended", () => isGone(first));
    await eventually("its note went", async () => (await agentStatus(home.path)).console === undefined);

    expect((await logIn(home)).origin).toBe(origin);
    const second = await consolePid(home);
    process.kill(await home.agentPid(), "SIGKILL");
    await eventually("the second one ended", () => isGone(second));
    expect((await agentStatus(home.path)).console).toBeUndefined();

    expect((await logIn(home)).origin).toBe(origin);
  });

  it("takes the next address where somebody listens at its own", async () => {
    await using home = await makeTestHome();
    const { origin } = await logIn(home);
    await stopAgent(home.path, true, home.task);
    const stranger = createServer((socket) => socket.end());
    await eventually("its port is free", async () => {
      stranger.listen(Number(new URL(origin).port), "127.0.0.1");
      return once(stranger, "listening").then(
        () => true,
        () => false,
      );
    });
    expect(Number(new URL((await logIn(home)).origin).port)).toBe(Number(new URL(origin).port) + 1);
    stranger.close();
  });

  it("is where the environment says, or nowhere, which whoever wants to log in is told", async () => {
    await using home = await makeTestHome();
    vi.stubEnv("REDIS_ADDON_CONSOLE", "[::1]:0");
    expect((await logIn(home)).origin).toMatch(/^http:\/\/\[::1\]:\d+$/);
    for (const [setting, why] of [
      ["off", /REDIS_ADDON_CONSOLE=off was said/],
      ["0.0.0.0:8080", /names 0\.0\.0\.0, which others reach/],
    ] as const) {
      await stopAgent(home.path, true, home.task);
      vi.stubEnv("REDIS_ADDON_CONSOLE", setting);
      await expect(consoleLogin(home.path, home.task)).rejects.toThrow(why);
    }
  });

  it("that can't be served tells why", async () => {
    const stranger = createServer().listen(0, "127.0.0.1");
    await once(stranger, "listening");
    const { port } = stranger.address() as { port: number };
    await using home = await makeTestHome();
    vi.stubEnv("REDIS_ADDON_CONSOLE", `127.0.0.1:${port}`);
    await expect(consoleLogin(home.path, home.task)).rejects.toThrow(
      new RegExp(`cannot open the console of ${home.path}: port ${port} of 127.0.0.1 is taken by process`),
    );
    stranger.close();
    await eventually("it is served", async () => (await agentStatus(home.path)).console !== undefined);
  });

  it("shows pages as they were built: what was changed in the agent's copy is replaced", async () => {
    await using home = await makeTestHome();
    await logIn(home);
    const { agent } = await agentStatus(home.path);
    const style = join(home.path, "programs", agent?.program ?? "", "provider/console/assets/console.css");
    await stopAgent(home.path, true, home.task);
    await writeFile(style, "body { display: none }");
    const { origin } = await logIn(home);
    expect(await (await fetch(`${origin}/assets/console.css`)).text()).not.toContain("display: none }");
  });

  it("is another build with another style: its pages change with an agent that takes over", async () => {
    await using checkout = await makeCheckout();
    const { folder } = checkout;
    const script = `require("${folder}/dist/provider/platforms/local/program.js").thisProgram().then(({ id }) => console.log(id))`;
    const build = async () => (await promisify(execFile)(process.execPath, ["--eval", script])).stdout;
    const before = await build();
    expect(await build()).toBe(before);
    await appendFile(join(folder, "provider/console/assets/console.css"), "body { color: red }");
    expect(await build()).not.toBe(before);
  });
});
