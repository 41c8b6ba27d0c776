import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { beforeEach, expect, it, onTestFinished, vi } from "vitest";
import { chromium } from "../../../.dev/setup/test-tools/chromium.mjs";

let machine: string;

/** A machine that has no browser, nor a Mac's folder of applications. */
beforeEach(() => {
  const platform = Object.getOwnPropertyDescriptor(process, "platform") ?? {};
  Object.defineProperty(process, "platform", { ...platform, value: "linux" });
  machine = mkdtempSync(join(tmpdir(), "redis-addon-machine-"));
  vi.stubEnv("PATH", join(machine, "bin"));
  vi.stubEnv("HOME", machine);
  vi.stubEnv("REDIS_ADDON_DEV_CACHE", join(machine, "cache"));
  for (const name of ["CHROMIUM", "CHROME_PATH", "PLAYWRIGHT_BROWSERS_PATH"]) vi.stubEnv(name, "");
  onTestFinished(() => {
    vi.unstubAllEnvs();
    Object.defineProperty(process, "platform", platform);
    rmSync(machine, { recursive: true });
  });
});

/** A program that says this when it is asked for its version. */
function put(place: string, says: string): string {
  const file = join(machine, place);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, `#!/bin/sh\necho "${says}"\n`);
  chmodSync(file, 0o755);
  return file;
}

const inDebianFolder = "cache/chromium-from-debian/bin/chromium-headless-shell";
const inPlaywrights = (folder: string, revision: number) =>
  `${folder}/chromium_headless_shell-${revision}/chrome-headless-shell-linux64/chrome-headless-shell`;

it("is none on a machine that has none", () => {
  expect(chromium.find()).toBeUndefined();
});

it("is the machine's own before one of another project, before the one of set-up", () => {
  const ours = put(inDebianFolder, "Chromium 150.0.7871.100");
  expect(chromium.find()).toBe(ours);
  const theirs = put(inPlaywrights(".cache/ms-playwright", 1200), "Chrome 145.0.1.2");
  expect(chromium.find()).toBe(theirs);
  const machines = put("bin/google-chrome", "Google Chrome 149.0.7800.1 beta");
  expect(chromium.find()).toBe(machines);
});

it("is the newest that another project has put there", () => {
  const newest = put(inPlaywrights(".cache/ms-playwright", 1200), "Chrome 145.0.1.2");
  put(inPlaywrights(".cache/ms-playwright", 999), "Chrome 139.0.1.2");
  expect(chromium.find()).toBe(newest);
});

it.each([
  ["is too old", "Chromium 90.0.4430.212"],
  ["only tells how to install one", "Command requires the chromium snap to be installed."],
])("is none that %s", (_, says) => {
  put("bin/chromium-browser", says);
  expect(chromium.find()).toBeUndefined();
});

it("is the one that is named, and no other where that one does not run", () => {
  put("bin/chromium", "Chromium 150.0.7871.100");
  const named = put("opt/browser", "Chromium 151.0.1.1");
  vi.stubEnv("CHROME_PATH", named);
  expect(chromium.find()).toBe(named);
  vi.stubEnv("CHROMIUM", join(machine, "absent"));
  expect(chromium.find()).toBeUndefined();
  expect(chromium.whyNot()).toMatch(/^\$CHROMIUM names .*absent, which is no Chromium that runs here$/);
});

it("is what Playwright's installer has put into set-up's cache", () => {
  const file = put(inPlaywrights("cache/chromium-from-playwright", 1255), "");
  expect(chromium.find()).toBe(file);
});
