import { execFile, spawn } from "node:child_process";
import { appendFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import type { Check } from "../../provider/operations/doctor";
import { previewService } from "../../provider/operations/agent-service";
import { systemClock } from "../../provider/system/clock";
import { identify, isAlive, waitForEnd } from "../../provider/system/processes";
import { copyBuild } from "../support/checkout";
import { creates, eventually, makeTestHome, SMALL, type TestHome } from "../support/data-home";
import { provision } from "../support/provision";

const run = promisify(execFile);

interface Result {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A user's machine: a data home, a checkout, and a systemctl that does what the unit says, with no systemd behind it. */
interface Machine extends AsyncDisposable {
  readonly home: TestHome;
  /** Where the unit is to be. */
  readonly config: string;
  readonly checkout: string;
  readonly redisAddon: (args: readonly string[], env?: Readonly<Record<string, string>>) => Promise<Result>;
  /** What systemctl and loginctl were asked, a line each. */
  asked(): Promise<string[]>;
  agentProgram(): Promise<string>;
}

/** `start` runs the command of the unit's ExecStart, as far as it is in the file that it names. */
function systemctl(home: string, folder: string, start: string): string {
  return `#!/bin/sh
echo "systemctl $*" >>'${folder}/asked'
case "$2" in
  start) ${start} ;;
  disable) [ ! -f '${folder}/pid' ] || kill -TERM "$(cat '${folder}/pid')" ;;
esac
`.replace(
    "START",
    `setsid env -i PATH="$PATH" HOME='${folder}' /bin/sh '${home}/start-agent' </dev/null & echo $! >'${folder}/pid'`,
  );
}

async function makeMachine(start = "START"): Promise<Machine> {
  const home = await makeTestHome();
  const folder = await mkdtemp(join(tmpdir(), "ras-"));
  const [config, checkout, tools] = [join(folder, "config"), join(folder, "checkout"), join(folder, "tools")];
  await mkdir(checkout);
  await mkdir(tools);
  await copyBuild(checkout);
  await writeFile(join(tools, "systemctl"), systemctl(home.path, folder, start), { mode: 0o755 });
  const loginctl = `#!/bin/sh\necho "loginctl $*" >>'${folder}/asked'\necho Linger=no\n`;
  await writeFile(join(tools, "loginctl"), loginctl, { mode: 0o755 });
  const env = {
    ...{ HOME: folder, PATH: `${tools}:${process.env["PATH"]}`, XDG_CONFIG_HOME: config },
    REDIS_ADDON_HOME: home.path,
  };
  return {
    ...{ home, config, checkout },
    redisAddon: async (args, more = {}) => {
      const entry = join(checkout, "dist/provider/cli/main.js");
      try {
        const done = await run(process.execPath, [entry, ...args], { env: { ...env, ...more } });
        return { code: 0, ...done };
      } catch (error) {
        const { code, stdout, stderr } = error as Result;
        return { code, stdout, stderr };
      }
    },
    asked: async () => (await readFile(join(folder, "asked"), "utf8")).trim().split("\n"),
    agentProgram: async () => {
      const status = await run(process.execPath, [
        ...[join(checkout, "dist/provider/cli/main.js"), "--home", home.path, "agent", "status", "--json"],
      ]);
      return (JSON.parse(status.stdout) as { agent: { program: string } }).agent.program;
    },
    [Symbol.asyncDispose]: async () => {
      await home[Symbol.asyncDispose]();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function makeAddon(home: TestHome): Promise<number> {
  await provision(home.platform, { name: "cache", claim: creates("t1"), wish: SMALL, given: [] }, home.task);
  return home.serverPid("cache");
}

function unitIn({ config, home }: Machine): string {
  return join(config, "systemd/user", `${previewService(home.path).name}.service`);
}

describe.runIf(process.platform === "linux")(
  "redis-addon agent install-service",
  { concurrent: true, timeout: 120_000 },
  () => {
    it("has systemd run the agent in place of the one that runs, no server stopped, and takes that back again", async () => {
      await using machine = await makeMachine();
      const { home, redisAddon } = machine;
      const server = await makeAddon(home);
      const before = await home.agentPid();
      const secret = { AWS_SECRET_ACCESS_KEY: "never-seen", AWS_PROFILE: "backups" };

      const done = await redisAddon(["agent", "install-service", "--json"], secret);
      expect(done.stderr).toContain("loginctl enable-linger");
      const unit = unitIn(machine);
      const pid = await home.agentPid();
      expect(JSON.parse(done.stdout)).toMatchObject({ kind: "systemd", path: unit, pid, lingering: false });
      expect(pid).not.toBe(before);
      expect(await home.serverPid("cache")).toBe(server);
      const name = previewService(home.path).name;
      expect(await machine.asked()).toEqual([
        "systemctl --user show --property=Version",
        "systemctl --user daemon-reload",
        `systemctl --user enable ${name}.service`,
        `systemctl --user start ${name}.service`,
        expect.stringMatching(/^loginctl show-user \S+ --property=Linger$/),
      ]);
      const text = await readFile(unit, "utf8");
      expect((await redisAddon(["agent", "install-service", "--print"], secret)).stdout).toBe(text);
      expect(text).toContain("AWS_PROFILE=backups");
      expect(text).not.toContain("never-seen");
      expect((await stat(join(home.path, "start-agent"))).mode & 0o777).toBe(0o600);

      await redisAddon(["agent", "stop", "--keep-servers"]);
      await redisAddon(["agent", "start"]);
      expect((await machine.asked()).slice(5)).toEqual([`systemctl --user start ${name}.service`]);
      const checks = JSON.parse((await redisAddon(["doctor", "--json"])).stdout) as Check[];
      expect(checks.find(({ id }) => id === "service")).toMatchObject({ remedy: "loginctl enable-linger" });
      const looked = (await machine.asked()).length;

      const gone = await redisAddon(["agent", "install-service", "--uninstall"]);
      expect(gone.stdout).toContain(unit);
      await expect(stat(unit)).rejects.toThrow("ENOENT");
      expect((await machine.asked()).slice(looked)).toEqual([
        "systemctl --user show --property=Version",
        `systemctl --user disable --now ${name}.service`,
        "systemctl --user daemon-reload",
      ]);
      const after = await home.agentPid();
      expect(after).not.toBe(pid);
      expect(await home.serverPid("cache")).toBe(server);
      expect((await redisAddon(["agent", "install-service", "--uninstall"])).stdout).toContain(
        "There is no service",
      );
    });

    it("starts at the next boot the newer build that took over meanwhile, though its own was cleared away", async () => {
      await using machine = await makeMachine();
      const { home, redisAddon, checkout } = machine;
      await makeAddon(home);
      await redisAddon(["agent", "install-service"]);
      const installed = await home.agentPid();
      const first = await machine.agentProgram();

      await appendFile(join(checkout, "dist/provider/agent/main.js"), "\n// another build\n");
      const service = await identify(installed);
      await redisAddon(["agent", "start"]);
      expect(service && (await waitForEnd(service, 10_000, systemClock))).toBe(true);
      const second = await machine.agentProgram();
      expect(second).not.toBe(first);
      await eventually("the first build to be cleared away", () =>
        stat(join(home.path, "programs", first)).then(
          () => false,
          () => true,
        ),
      );

      await redisAddon(["agent", "stop"]);
      const boot = spawn("/bin/sh", [join(home.path, "start-agent")], {
        stdio: "ignore",
        env: { PATH: process.env["PATH"] },
      });
      await eventually("the agent to answer", () => machine.agentProgram().catch(() => undefined));
      expect(await machine.agentProgram()).toBe(second);
      expect(await home.agentPid()).toBe(boot.pid);
    });

    it("leaves an agent running where systemd can't start it, and says how to look at it", async () => {
      await using machine = await makeMachine("echo no such luck >&2; exit 1");
      const { home, redisAddon } = machine;
      const server = await makeAddon(home);
      const failed = await redisAddon(["agent", "install-service"]);
      expect(failed).toMatchObject({ code: 1, stdout: "" });
      expect(failed.stderr).toContain("no such luck");
      expect(await isAlive((await identify(await home.agentPid()))!)).toBe(true);
      expect(await home.serverPid("cache")).toBe(server);
    });

    it("writes and starts nothing where this user's systemd can't be reached", async () => {
      await using machine = await makeMachine();
      const refused = await machine.redisAddon(["agent", "install-service"], { PATH: "/nowhere" });
      expect(refused.code).toBe(1);
      expect(refused.stderr).toContain("there is no systemctl here");
      await expect(stat(unitIn(machine))).rejects.toThrow("ENOENT");
      await expect(stat(join(machine.home.path, "agent.lock"))).rejects.toThrow("ENOENT");
    });
  },
);
