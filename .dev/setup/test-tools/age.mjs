// The stock age: what users open encrypted backups with.
import { join } from "node:path";
import { cached, installOnce } from "../cache.mjs";
import { goInstall } from "../go-install.mjs";
import { isExecutable, versionOf, which } from "../run.mjs";
import { age as versions, isAtLeast } from "../versions.mjs";

const name = `age-${versions.install}`;

/** Its folder holds age-keygen too. @type {import("../test-tools.mjs").TestTool} */
export const age = {
  name: `age ${versions.install}`,
  lane: "builds",
  find() {
    const onPath = which("age");
    const version = onPath && which("age-keygen") && versionOf(onPath, ["--version"], /^v?(\d\S*)/);
    if (version && isAtLeast(version, versions.atLeast)) return onPath;
    const file = join(cached(name), "bin", "age");
    return isExecutable(file) ? file : undefined;
  },
  whyNot: () => undefined,
  async install({ log }) {
    log(`building age ${versions.install} with Go, for tests`);
    const packages = ["age", "age-keygen"].map(
      (program) => `filippo.io/age/cmd/${program}@v${versions.install}`,
    );
    await installOnce(name, (folder) => goInstall(packages, folder, { log }), { log });
  },
};
