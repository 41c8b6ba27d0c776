import { spawn } from "node:child_process";
import { chmodSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text } from "node:stream/consumers";
import { expect, it, onTestFinished } from "vitest";
import { wrapWithLibraries, writeWrapper } from "../../../.dev/setup/wrapper.mjs";

it("a wrapped program finds its libraries wherever its folder is moved to, and keeps its process id", async () => {
  const parent = mkdtempSync(join(tmpdir(), "redis-addon-wrapper-"));
  onTestFinished(() => rmSync(parent, { recursive: true }));
  const program = join(parent, "building", "bin", "tool");
  mkdirSync(join(parent, "building", "bin"), { recursive: true });
  writeFileSync(program, '#!/bin/sh\nprintf "%s|%s|%s" "$$" "$LD_LIBRARY_PATH" "$*"');
  chmodSync(program, 0o755);
  wrapWithLibraries(program);
  const folder = join(parent, "a place");
  renameSync(join(parent, "building"), folder);

  const child = spawn(join(folder, "bin", "tool"), ["--port", "two words"], {
    env: { PATH: process.env["PATH"], LD_LIBRARY_PATH: "/theirs" },
  });
  const [pid, libraries, args] = (await text(child.stdout)).split("|");
  expect(Number(pid)).toBe(child.pid);
  expect(libraries).toBe(`${folder}/bin/../lib:/theirs`);
  expect(args).toBe("--port two words");
});

it("a wrapped program is told of other files in its folder", async () => {
  const folder = mkdtempSync(join(tmpdir(), "redis-addon-wrapper-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  for (const name of ["bin", "libexec"]) mkdirSync(join(folder, name));
  writeFileSync(join(folder, "libexec", "tool"), '#!/bin/sh\nprintf "%s" "$FONTS"');
  chmodSync(join(folder, "libexec", "tool"), 0o755);
  writeWrapper(join(folder, "bin", "tool"), { FONTS: "fonts/fonts.conf" });

  const child = spawn(join(folder, "bin", "tool"));
  expect(await text(child.stdout)).toBe(`${folder}/bin/../fonts/fonts.conf`);
});
