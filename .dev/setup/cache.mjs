// The folder outside the checkout where installed tools live, by tool and version.
import { mkdirSync, mkdtempSync, renameSync, rmSync, existsSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { withLock } from "./lock.mjs";

export function cacheFolder(env = process.env) {
  if (env.REDIS_ADDON_DEV_CACHE) return env.REDIS_ADDON_DEV_CACHE;
  return join(env.XDG_CACHE_HOME || join(env.HOME || homedir(), ".cache"), "pulumi-redis-addon");
}

/** Where a tool lies once it is installed. */
export function cached(name, env) {
  return join(cacheFolder(env), name);
}

/**
 * Makes `<cache>/<name>`, whole or not at all: `build` fills a temporary folder, which is then renamed. A
 * second set-up waits for the first one and finds its result; if both build after all, the first rename wins.
 * @param {string} name such as "redis-7.0.15"
 * @param {(folder: string) => Promise<void>} build
 * @param {{ log: (line: string) => void }} options
 * @returns {Promise<string>} the folder
 */
export function installOnce(name, build, { log }) {
  const target = cached(name);
  mkdirSync(cacheFolder(), { recursive: true });
  return withLock(`${target}.lock`, { log, what: name }, async () => {
    if (existsSync(target)) return target;
    // Beside the target, because a rename works only within one file system.
    const temporary = mkdtempSync(`${target}.tmp-`);
    try {
      await build(temporary);
      renameSync(temporary, target);
    } catch (failure) {
      const anotherWasFirst = failure.code === "ENOTEMPTY" || failure.code === "EEXIST";
      if (!anotherWasFirst) throw failure;
    } finally {
      rmSync(temporary, { recursive: true, force: true });
    }
    return target;
  });
}
