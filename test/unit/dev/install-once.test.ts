import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeEach, expect, it, onTestFinished, vi } from "vitest";
import { cached, cacheFolder, installOnce } from "../../../.dev/setup/cache.mjs";

let cache: string;
const quiet = { log: () => undefined };

beforeEach(() => {
  cache = mkdtempSync(join(tmpdir(), "redis-addon-cache-"));
  vi.stubEnv("REDIS_ADDON_DEV_CACHE", cache);
  onTestFinished(() => {
    vi.unstubAllEnvs();
    rmSync(cache, { recursive: true, force: true });
  });
});

const writeTool = async (folder: string) => writeFileSync(join(folder, "tool"), "whole");

it("lies where XDG says, unless it is moved", () => {
  expect(cacheFolder({ HOME: "/home/ada" })).toBe("/home/ada/.cache/pulumi-redis-addon");
  expect(cacheFolder({ HOME: "/home/ada", XDG_CACHE_HOME: "/caches" })).toBe("/caches/pulumi-redis-addon");
  expect(cacheFolder({ XDG_CACHE_HOME: "/caches", REDIS_ADDON_DEV_CACHE: "/mine" })).toBe("/mine");
});

it("leaves nothing of an installation that failed", async () => {
  const broken = async (folder: string) => {
    await writeTool(folder);
    throw new Error("cut short");
  };
  await expect(installOnce("tool-1", broken, quiet)).rejects.toThrow("cut short");
  expect(readdirSync(cache)).toEqual([]);
});

it("installs once when two set-ups ask at the same time", async () => {
  const build = vi.fn(writeTool);
  const folders = await Promise.all([
    installOnce("tool-1", build, quiet),
    installOnce("tool-1", build, quiet),
  ]);
  expect(folders).toEqual([cached("tool-1"), cached("tool-1")]);
  expect(build).toHaveBeenCalledTimes(1);
  expect(readdirSync(cache)).toEqual(["tool-1"]);
});

it("keeps the first result when two installed it all the same", async () => {
  const late = async (folder: string) => {
    await writeTool(folder);
    await import("node:fs/promises").then((fs) => fs.cp(folder, cached("tool-1"), { recursive: true }));
  };
  expect(await installOnce("tool-1", late, quiet)).toBe(cached("tool-1"));
  expect(readFileSync(join(cached("tool-1"), "tool"), "utf8")).toBe("whole");
});

it("goes on after a set-up that was killed, by its pid or its silence", async () => {
  const lock = `${cached("tool-1")}.lock`;
  writeFileSync(lock, "999999999");
  await installOnce("tool-1", writeTool, quiet);

  rmSync(cached("tool-1"), { recursive: true });
  writeFileSync(lock, String(process.pid));
  const longAgo = new Date(Date.now() - 60_000);
  utimesSync(lock, longAgo, longAgo);
  await installOnce("tool-1", writeTool, quiet);
  expect(existsSync(join(cached("tool-1"), "tool"))).toBe(true);
  expect(existsSync(lock)).toBe(false);
});
