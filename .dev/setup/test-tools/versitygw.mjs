// An S3 server in one small program, with conditional writes as AWS has them.
import { join } from "node:path";
import { cached, installOnce } from "../cache.mjs";
import { goInstall } from "../go-install.mjs";
import { isExecutable, versionOf, which } from "../run.mjs";
import { isAtLeast, versitygw as versions } from "../versions.mjs";

const name = `versitygw-${versions.install}`;

/** @type {import("../test-tools.mjs").TestTool} */
export const versitygw = {
  name: `versitygw ${versions.install}`,
  lane: "builds",
  find() {
    const onPath = which("versitygw");
    const version = onPath && versionOf(onPath, ["--version"], /Version\s*:\s*v?(\d\S*)/);
    if (version && isAtLeast(version, versions.atLeast)) return onPath;
    const file = join(cached(name), "bin", "versitygw");
    return isExecutable(file) ? file : undefined;
  },
  whyNot: () => undefined,
  async install({ log }) {
    log(`building versitygw ${versions.install} with Go, about 4 minutes on 2 cores, once: for tests`);
    const module = `github.com/versity/versitygw/cmd/versitygw@v${versions.install}`;
    await installOnce(name, (folder) => goInstall([module], folder, { log }), { log });
  },
};
