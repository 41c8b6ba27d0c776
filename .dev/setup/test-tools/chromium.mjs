// A real browser for the tests of the console. What people have on their machine is used first: any Chromium or
// Chrome of the last years does.
import { homedir } from "node:os";
import { join } from "node:path";
import { isExecutable, versionOf, which } from "../run.mjs";
import { chromium as versions, isAtLeast } from "../versions.mjs";
import { fromDebian } from "./chromium-from-debian.mjs";
import { browsersIn, fromPlaywright } from "./chromium-from-playwright.mjs";

/** @type {import("../test-tools.mjs").TestTool} */
export const chromium = {
  name: "Chromium",
  lane: "downloads",
  find() {
    const named = namedByUser();
    if (named) return isUsable(named.file) ? named.file : undefined;
    return installed().find(isUsable) ?? ours().find(isExecutable);
  },
  whyNot() {
    const named = namedByUser();
    if (named) return `${named.variable} names ${named.file}, which is no Chromium that runs here`;
    const reasons = ways.map((way) => way.whyNot());
    return reasons.every((why) => why !== undefined) ? reasons.join("; ") : undefined;
  },
  async install({ log }) {
    const failures = [];
    for (const way of ways.filter((way) => way.whyNot() === undefined)) {
      try {
        return await way.install({ log });
      } catch (failure) {
        failures.push(failure.message.split("\n")[0]);
      }
    }
    throw new Error(failures.join("; "));
  },
};

/** Debian's comes with every library that it needs; Playwright's runs where these are there, as on a desktop. */
const ways = [fromDebian, fromPlaywright];

function namedByUser() {
  const variable = ["CHROMIUM", "CHROME_PATH"].find((name) => process.env[name]);
  return variable && { variable: `$${variable}`, file: process.env[variable] };
}

/** Some are only scripts that tell how to install one. */
function isUsable(file) {
  const version = isExecutable(file) && versionOf(file, ["--version"], /(\d+(\.\d+)+)/);
  return Boolean(version) && isAtLeast(version, versions.atLeast);
}

function installed() {
  const names = ["chromium", "chromium-browser", "chromium-headless-shell", "google-chrome", "chrome"];
  const apps = process.platform === "darwin" ? ["Google Chrome", "Chromium"] : [];
  const home = homedir();
  const playwrights = [
    process.env.PLAYWRIGHT_BROWSERS_PATH,
    join(home, ".cache", "ms-playwright"),
    join(home, "Library", "Caches", "ms-playwright"),
  ];
  return [
    ...names.map((name) => which(name)).filter((file) => file !== undefined),
    ...apps.map((name) => `/Applications/${name}.app/Contents/MacOS/${name}`).filter(isExecutable),
    ...playwrights.filter(Boolean).flatMap(browsersIn),
  ];
}

const ours = () => [fromDebian.file(), ...fromPlaywright.files()];
