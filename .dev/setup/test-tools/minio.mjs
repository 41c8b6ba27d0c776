// A second S3 server, to see that what works on one is not a peculiarity of it.
import { join } from "node:path";
import { cached, installOnce } from "../cache.mjs";
import { goInstall } from "../go-install.mjs";
import { isExecutable } from "../run.mjs";
import { minio as versions } from "../versions.mjs";

const name = `minio-${versions.install}`;
const file = (folder) => join(folder, "bin", "minio");

/** @type {import("../test-tools.mjs").TestTool} */
export const minio = {
  name: `MinIO ${versions.install.split("-")[0]}`,
  lane: "builds",
  find: () => (isExecutable(file(cached(name))) ? file(cached(name)) : undefined),
  whyNot: () => undefined,
  async install({ log }) {
    log(`building MinIO ${versions.install} with Go, about 5 minutes on 2 cores, once: for heavy tests`);
    const module = `github.com/minio/minio@v0.0.0-${versions.install}`;
    await installOnce(name, (folder) => goInstall([module], folder, { log }), { log });
  },
};
