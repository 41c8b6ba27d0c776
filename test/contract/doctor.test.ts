import { execFile } from "node:child_process";
import { chmod, mkdtemp, readdir, rm, stat, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { describe, expect, it } from "vitest";
import type { Check } from "../../provider/operations/doctor";
import { keptServerPath } from "../../provider/platforms/local/servers";
import { layoutOf } from "../../provider/platforms/local/home";
import { stopAgent } from "../../provider/operations/agent";
import { creates, makeTestHome, SMALL } from "../support/data-home";
import { provision } from "../support/provision";

const ENTRY = join(import.meta.dirname, "../../dist/provider/cli/main.js");
const run = promisify(execFile);

async function doctor(home: string): Promise<{ code: number; checks: Check[]; output: string }> {
  const asked = [ENTRY, "--home", home, "doctor", "--json"];
  try {
    const { stdout } = await run(process.execPath, asked);
    return { code: 0, checks: JSON.parse(stdout) as Check[], output: stdout };
  } catch (error) {
    const { code, stdout } = error as { code: number; stdout: string };
    return { code, checks: JSON.parse(stdout) as Check[], output: stdout };
  }
}

async function makeFolder(): Promise<{ readonly path: string } & AsyncDisposable> {
  const path = await mkdtemp(join(tmpdir(), "doctor-"));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

function about(checks: readonly Check[], id: string): Check | undefined {
  return checks.find((check) => check.id === id);
}

describe("redis-addon doctor", () => {
  it("finds no problem on a machine where add-ons run, and what was provoked afterwards, each with a remedy", async () => {
    await using home = await makeTestHome();
    const request = { name: "cache", claim: creates("t1"), wish: SMALL, given: [] };
    const { server, credentials } = await provision(home.platform, request, home.task);
    const well = await doctor(home.path);
    expect(well.checks.filter(({ result }) => result === "problem")).toEqual([]);
    expect(well.code).toBe(0);
    for (const id of ["agent", "redis-server", "executables", "permissions", "add-ons", "backups", "disk"])
      expect(about(well.checks, id)).toMatchObject({ id, result: "ok" });
    for (const secret of Object.values(credentials)) expect(well.output).not.toContain(secret);

    const executable = keptServerPath(layoutOf(home.path), server.wish.version);
    await chmod(home.path, 0o755);
    await stopAgent(home.path, false, home.task);
    await rm(executable);
    const ill = await doctor(home.path);
    expect(ill.code).toBe(11);
    expect(about(ill.checks, "permissions")).toMatchObject({
      result: "problem",
      seen: expect.stringContaining(`${home.path} (0755)`),
      remedy: `chmod -R go= ${home.path}`,
    });
    expect(about(ill.checks, "agent")).toMatchObject({
      result: "problem",
      remedy: `redis-addon agent start --home ${home.path}`,
    });
    expect(about(ill.checks, "executables")).toMatchObject({ result: "problem" });
    expect(about(ill.checks, "add-ons")).toMatchObject({ seen: expect.stringContaining("cache: ") });
    // It changed nothing.
    expect((await stat(home.path)).mode & 0o777).toBe(0o755);
    expect(await readdir(home.path)).not.toContain("agent.sock");
    expect(ill.checks.findIndex(({ result }) => result !== "problem")).toBeGreaterThan(3);

    await run("/bin/sh", ["-c", about(ill.checks, "permissions")?.remedy ?? "false"]);
    expect(about((await doctor(home.path)).checks, "permissions")).toMatchObject({ result: "ok" });
  });

  it("says what it can of a data home that can't be read", async () => {
    await using home = await makeFolder();
    const addons = join(home.path, "addons");
    await symlink(addons, addons);
    const { code, checks } = await doctor(home.path);
    expect(code).toBe(11);
    expect(about(checks, "data-home")).toMatchObject({ seen: expect.stringContaining("ELOOP") });
    for (const id of ["add-ons", "backups", "executables", "agent"])
      expect(about(checks, id)).toMatchObject({
        result: "not-applicable",
        seen: "the data home can't be read",
      });
    expect(about(checks, "node")).toMatchObject({ result: "ok" });
  });

  it("looks at a data home that nobody has used, makes none, and prints no colour on a terminal", async () => {
    await using folder = await makeFolder();
    const home = join(folder.path, "home");
    const terminal = "import os,pty,sys; sys.exit(os.waitstatus_to_exitcode(pty.spawn(sys.argv[1:])))";
    const asked = [process.execPath, ENTRY, "--home", home, "doctor"];
    const { stdout } = await run("python3", ["-c", terminal, ...asked], {
      env: { ...process.env, FORCE_COLOR: "1", TERM: "xterm-256color" },
    });
    expect(stdout).toMatch(/^RESULT +CHECK +SEEN/m);
    expect(stdout).toMatch(/^ok +node +v\d+/m);
    // It will lie on the disk of the folder above it.
    expect(stdout).toMatch(/disk +the data home \(.*\): .* free/);
    // oxlint-disable-next-line no-control-regex -- it is what is looked for
    expect(stdout).not.toMatch(/\u001b\[[\d;]*m/);
    await expect(stat(home)).rejects.toThrow("ENOENT");
  });
});
