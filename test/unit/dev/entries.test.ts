import { execFileSync } from "node:child_process";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";

// Each of these is imported by a script that runs set-up first: what it imports itself can't wait for that.
const LOADED_BEFORE_SET_UP = ["setup.mjs", "setup/test-tools.mjs", "hand-over.mjs", "test/runs.mjs"];

test("what begins with set-up can be loaded in a fresh clone, which has no packages yet", () => {
  const clone = mkdtempSync(join(tmpdir(), "redis-addon-clone-"));
  onTestFinished(() => rmSync(clone, { recursive: true }));
  cpSync(".dev", join(clone, ".dev"), { recursive: true });
  const script = LOADED_BEFORE_SET_UP.map((module) => `await import("./.dev/${module}");`).join("\n");

  const run = () =>
    execFileSync(process.execPath, ["--input-type=module", "--eval", script], { cwd: clone, stdio: "pipe" });

  expect(run).not.toThrow();
});
