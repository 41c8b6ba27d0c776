import { execFile, execFileSync } from "node:child_process";
import { mkdir, mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Shell } from "../../provider/cli/completion/scripts";
import { type CompiledProgram, compileProgram } from "../support/compiled-program";

const run = promisify(execFile);

let compiled: CompiledProgram;
let folder: string;

beforeAll(async () => {
  compiled = await compileProgram();
  // The local platform looks for the package that it is a part of.
  await symlink(join(import.meta.dirname, "../../package.json"), compiled.path("package.json"));
  folder = await mkdtemp(join(tmpdir(), "completion-"));
  const entry = compiled.path("provider/cli/main.ts");
  await writeFile(join(folder, "redis-addon"), `#!/bin/sh\nexec '${process.execPath}' '${entry}' "$@"\n`, {
    mode: 0o755,
  });
  for (const name of ["cache", "copy", "queue"]) {
    await mkdir(join(folder, "home/addons", name), { recursive: true });
    // Who completes doesn't read it.
    await writeFile(join(folder, "home/addons", name, "record.json"), "nonsense");
  }
  await writeFile(join(folder, "a key.txt"), "");
});
afterAll(async () => {
  await compiled[Symbol.asyncDispose]();
  await rm(folder, { recursive: true, force: true });
});

/** What a shell offers where these are its words; the last one is under the cursor. */
async function offered(
  shell: Shell,
  words: readonly string[],
  home = join(folder, "home"),
): Promise<string[]> {
  const { stdout, stderr } = await run(shell, ["-c", DRIVERS[shell], shell, ...words], {
    cwd: folder,
    env: { PATH: `${folder}:${process.env["PATH"]}`, HOME: folder, REDIS_ADDON_HOME: home },
  });
  expect(stderr).toBe("");
  return stdout.trim() === "" ? [] : stdout.trim().split("\n");
}

/** bash and fish are asked as a terminal would ask them; zsh completes on a terminal alone, so its two builtins are played. */
const DRIVERS: Readonly<Record<Shell, string>> = {
  bash: `source <(redis-addon completion bash)
    COMP_WORDS=(redis-addon "$@"); COMP_CWORD=$#
    _redis_addon redis-addon "\${@: -1}" "\${COMP_WORDS[COMP_CWORD - 1]}"
    printf '%s\\n' "\${COMPREPLY[@]}"`,
  zsh: `compdef() { : }; _files() { print -rl -- *(N) }; _describe() { print -rl -- "\${\${(P)2}[@]%%:*}" }
    source <(redis-addon completion zsh)
    words=(redis-addon "\${(@q)@}"); CURRENT=$#words; PREFIX=$words[-1]; _redis_addon`,
  fish: `redis-addon completion fish | source
    complete -C "redis-addon $(string join -- ' ' $argv[2..])" | string split -f 1 \\t
    true`,
};

function isHere(shell: Shell): boolean {
  try {
    execFileSync(shell, ["-c", "exit 0"], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}

describe.runIf(isHere("bash"))("redis-addon completion bash", () => {
  it("completes commands, options, names of add-ons and paths", async () => {
    expect(await offered("bash", ["follower", "s"])).toEqual(["status", "switchover"]);
    expect(await offered("bash", ["info", "c"])).toEqual(["cache", "copy"]);
    expect(await offered("bash", ["info", "cache", "--rev"])).toEqual(["--reveal"]);
    expect(await offered("bash", ["backup", "verify", "cache", "--identity", "a"])).toEqual(["a key.txt"]);
    expect(await offered("bash", ["backup", "restore", "cache", "latest", "--into", "=", "q"])).toEqual([
      "queue",
    ]);
  });

  it("says nothing where there is nothing, nor of a data home that can't be read, and makes none", async () => {
    expect(await offered("bash", ["info", ""], join(folder, "nowhere"))).toEqual([]);
    expect(await offered("bash", ["info", ""], join(folder, "redis-addon"))).toEqual([]);
    expect(await readdir(folder)).not.toContain("nowhere");
  });
});

describe.runIf(isHere("zsh"))("redis-addon completion zsh", () => {
  it("completes commands, names of add-ons and paths", async () => {
    expect(await offered("zsh", ["follower", "s"])).toEqual(["status", "switchover"]);
    expect(await offered("zsh", ["info", "c"])).toEqual(["cache", "copy"]);
    expect(await offered("zsh", ["backup", "restore", "cache", "latest", "--into=q"])).toEqual([
      "--into=queue",
    ]);
    expect(await offered("zsh", ["backup", "verify", "cache", "--identity", ""])).toContain("a key.txt");
  });
});

describe.runIf(isHere("fish"))("redis-addon completion fish", () => {
  it("completes commands, names of add-ons and paths", async () => {
    expect(await offered("fish", ["follower", "s"])).toEqual(["status", "switchover"]);
    expect(await offered("fish", ["info", "c"])).toEqual(["cache", "copy"]);
    expect(await offered("fish", ["backup", "restore", "cache", "latest", "--into=q"])).toEqual([
      "--into=queue",
    ]);
    expect(await offered("fish", ["backup", "verify", "cache", "--identity", "a"])).toEqual(["a key.txt"]);
  });
});
