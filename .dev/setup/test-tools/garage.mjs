// An S3 server that ignores conditional writes, as some stores do.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cached, installOnce } from "../cache.mjs";
import { isExecutable, run, versionOf, which } from "../run.mjs";
import { garage as versions } from "../versions.mjs";

const name = `garage-${versions.install}`;
const file = (folder) => join(folder, "bin", "garage");

/** @type {import("../test-tools.mjs").TestTool} */
export const garage = {
  name: `Garage ${versions.install}`,
  lane: "builds",
  find: () => (isExecutable(file(cached(name))) ? file(cached(name)) : undefined),
  whyNot: () => (which("cargo") ? undefined : "there is no cargo to build it with"),
  async install({ log }) {
    log(`building Garage ${versions.install} with cargo, about 15 minutes on 2 cores, once: for heavy tests`);
    const build = async (folder) => {
      const target = mkdtempSync(join(tmpdir(), "redis-addon-cargo-"));
      try {
        const args = ["install", "garage", "--version", versions.install, "--locked", "--no-track"];
        await run("cargo", [...args, "--root", folder], {
          cwd: folder,
          env: { ...process.env, CARGO_TARGET_DIR: target },
        });
      } finally {
        rmSync(target, { recursive: true, force: true });
      }
      if (!versionOf(file(folder), ["--version"], /(\d)/)) throw new Error("the built garage does not run");
    };
    await installOnce(name, build, { log });
  },
};
