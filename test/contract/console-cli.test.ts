import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import { agentStatus } from "../../provider/operations/agent";
import { makeAuthority } from "../support/certificates";
import { eventually, makeTestHome, type TestHome } from "../support/data-home";

const ENTRY = join(import.meta.dirname, "../../dist/provider/cli/main.js");
/** Runs a command in a pseudo-terminal. */
const PTY = "import pty,sys; pty.spawn(sys.argv[1:])";

function environment(home: TestHome, more: NodeJS.ProcessEnv = {}): NodeJS.ProcessEnv {
  return { ...process.env, REDIS_ADDON_CONSOLE: "", REDIS_ADDON_HOME: home.path, ...more };
}

async function run(home: TestHome, ...args: readonly string[]) {
  const command = [ENTRY, ...args];
  return promisify(execFile)(process.execPath, command, { env: environment(home) });
}

interface Served extends AsyncDisposable {
  readonly child: ChildProcess;
  /** What it printed so far. */
  stdout(): string;
  stderr(): string;
  /** The nth address that it printed. */
  address(nth?: number): Promise<string>;
}

/** A console that the command line serves itself. */
function serve(home: TestHome, ...args: readonly string[]): Served {
  const child = spawn(process.execPath, [ENTRY, "console", ...args], { env: environment(home) });
  let [stdout, stderr] = ["", ""];
  child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (stderr += chunk.toString()));
  return {
    child,
    stdout: () => stdout,
    stderr: () => stderr,
    address: (nth = 1) =>
      eventually(`address ${nth}`, () => {
        if (child.exitCode !== null) throw new Error(`it ended: ${stderr}`);
        return Promise.resolve(stdout.split("\n").length > nth && stdout.split("\n")[nth - 1]);
      }),
    [Symbol.asyncDispose]: async () => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill("SIGKILL");
      await once(child, "exit");
    },
  };
}

async function logInStatus(url: string): Promise<number> {
  return (await fetch(url, { redirect: "manual" })).status;
}

describe("redis-addon console", () => {
  it("prints an address alone that logs in, once; the agent's status names the console without it", async () => {
    await using home = await makeTestHome();
    const { stdout, stderr } = await run(home, "console", "--print-url");
    expect(stdout).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/login\?token=[\w-]{43}\n$/);
    expect(stderr).toContain("No agent was running: it was started");
    expect(await logInStatus(stdout.trim())).toBe(303);
    expect(await logInStatus(stdout.trim())).toBe(401);

    const again = await run(home, "console", "--json");
    const { url, origin } = JSON.parse(again.stdout) as { url: string; origin: string };
    expect(again.stderr).toBe("");
    expect(new URL(url).origin).toBe(origin);
    expect(await logInStatus(url)).toBe(303);

    expect((await run(home, "agent", "status")).stdout).toMatch(new RegExp(`^Console +${origin}$`, "m"));
    const status = await run(home, "agent", "status", "--json");
    expect(JSON.parse(status.stdout)).toMatchObject({ console: origin });
    const log = await readFile(join(home.path, "agent.log"), "utf8");
    expect(log).toContain("somebody logged in");
    expect(log).not.toMatch(/token/);
  });

  it("opens a browser by a file of this user's alone: an argument can be read by others", async () => {
    await using home = await makeTestHome();
    const folder = await mkdtemp(join(tmpdir(), "screen-"));
    await using stack = new AsyncDisposableStack();
    stack.defer(() => rm(folder, { recursive: true }));
    const opened = join(folder, "opened");
    await writeFile(join(folder, "xdg-open"), `#!/bin/sh\necho "$@" > "${opened}"\n`);
    await chmod(join(folder, "xdg-open"), 0o755);
    const path = [folder, process.env["PATH"]].join(delimiter);
    const child = spawn("python3", ["-c", PTY, process.execPath, ENTRY, "console"], {
      env: environment(home, { PATH: path, DISPLAY: ":0", TERM: "xterm" }),
      stdio: ["pipe", "pipe", "inherit"],
    });
    let printed = "";
    child.stdout.on("data", (chunk: Buffer) => (printed += chunk.toString()));
    await once(child, "exit");
    const file = await eventually("the browser", () =>
      readFile(opened, "utf8").then(
        (text) => text.endsWith("\n") && text.trim(),
        () => undefined,
      ),
    );
    const [url = ""] = /http:\S+token=\S+/.exec(printed) ?? [];
    expect(file).toBe(join(home.path, "console-login.html"));
    expect(await readFile(file, "utf8")).toContain(`content="0; url=${url}"`);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect(await logInStatus(url)).toBe(303);
  });

  it("serves one from here without an agent, an address for each Enter, until it is ended", async () => {
    await using home = await makeTestHome();
    await using served = serve(home, "--listen", "127.0.0.1:0");
    const [first, enter] = [await served.address(), () => served.child.stdin?.write("\n")];
    enter();
    const second = await served.address(2);
    expect(new URL(second).origin).toBe(new URL(first).origin);
    expect(await logInStatus(first)).toBe(303);
    expect(await logInStatus(second)).toBe(303);
    expect(await (await fetch(new URL(first).origin)).text()).toContain("press Enter");
    expect((await agentStatus(home.path)).agent).toBeUndefined();
    served.child.kill("SIGTERM");
    const [code] = (await once(served.child, "exit")) as [number];
    expect(code).toBe(143);
    expect(served.stdout()).toBe(`${first}\n${second}\n`);
    expect(served.stderr()).toContain("somebody logged in");
    expect(served.stderr()).not.toMatch(/token/);
  });

  it("serves one with a certificate, and says where browsers will complain about it", async () => {
    await using home = await makeTestHome();
    const { certificate, key } = makeAuthority().issue(["console.example.org"]);
    const [cert, keyFile] = [join(home.path, "cert.pem"), join(home.path, "key.pem")];
    await writeFile(cert, certificate);
    await writeFile(keyFile, key);
    const tls = ["--tls-cert", cert, "--tls-key", keyFile];
    await using served = serve(home, "--listen", "127.0.0.1:0", ...tls);
    expect(await served.address()).toMatch(/^https:\/\/127\.0\.0\.1:\d+\/login/);
    expect(served.stderr()).toMatch(/The certificate is not for 127\.0\.0\.1: DNS:console\.example\.org/);
    await using other = serve(
      home,
      "--listen",
      "0.0.0.0:0",
      ...tls,
      "--origin",
      "https://console.example.org:8443",
    );
    expect(await other.address()).toMatch(/^https:\/\/console\.example\.org:8443\/login/);
    expect(other.stderr()).not.toMatch(/certificate/);
  });

  it.each([
    ["others reach", ["--listen", "0.0.0.0:8080"], 2, /others reach this address, and everybody on the way/],
    [
      "nobody can have",
      ["--listen", "203.0.113.7:8080", "--behind-proxy", "https://a.example"],
      1,
      /this machine has no address 203\.0\.113\.7/,
    ],
  ])("refuses an address that %s", async (_, args, code, why) => {
    await using home = await makeTestHome();
    await expect(run(home, "console", ...args)).rejects.toMatchObject({
      code,
      stdout: "",
      stderr: expect.stringMatching(why) as unknown,
    });
  });
});
