// Python's client for Redis: what many applications connect with. It goes into a folder of its own, no Python is
// changed.
import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cached, installOnce } from "../cache.mjs";
import { isExecutable, run, which } from "../run.mjs";
import { redisPy as versions } from "../versions.mjs";
import { findPip } from "../wheel.mjs";

/** For each version a Python that can import it. @type {readonly import("../test-tools.mjs").TestTool[]} */
export const redisPys = versions.install.map(redisPy);

function redisPy(version) {
  const name = `redis-py-${version}`;
  const file = (folder) => join(folder, "bin", "python3");
  return {
    name: `redis-py ${version}`,
    lane: "downloads",
    find: () => (which("python3") && isExecutable(file(cached(name))) ? file(cached(name)) : undefined),
    whyNot: () => (which("python3") ? undefined : "there is no python3"),
    async install({ log }) {
      const pip = findPip();
      if (!pip) throw new Error("there is no pip that could fetch it");
      log(`installing redis-py ${version} from the Python wheel redis, for tests`);
      const build = async (folder) => {
        const target = ["--target", join(folder, "lib")];
        await run(pip, ["install", "--quiet", "--only-binary", ":all:", ...target, `redis==${version}`]);
        mkdirSync(join(folder, "bin"));
        // Relative to itself, because an installed folder is renamed when it is complete.
        const lines = ["#!/bin/sh", 'PYTHONPATH="${0%/*}/../lib" exec python3 "$@"'];
        writeFileSync(file(folder), `${lines.join("\n")}\n`);
        chmodSync(file(folder), 0o755);
        const found = await run(file(folder), ["-c", "import redis; print(redis.__version__)"]);
        if (found.trim() !== version) throw new Error(`python3 finds redis-py ${found.trim()} instead`);
      };
      await installOnce(name, build, { log });
    },
  };
}
