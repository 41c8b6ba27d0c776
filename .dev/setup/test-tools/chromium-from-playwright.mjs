// Chromium as Playwright publishes it, for machines with another system than Debian. It goes into set-up's cache:
// in Playwright's own, its installer would remove what other projects' versions have put there.
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { cached, installOnce } from "../cache.mjs";
import { checkout } from "../checkout.mjs";
import { isExecutable, run } from "../run.mjs";
import { showsPages } from "./shows-pages.mjs";

const name = "chromium-from-playwright";
/** A blocked network must not cost more, for each of the addresses that it tries. */
const answerWithinMs = 10_000;

export const fromPlaywright = {
  files: () => browsersIn(cached(name)),
  whyNot: () => undefined,
  async install({ log }) {
    log("downloading Chromium with Playwright's installer, about 120 MB, for tests");
    const build = async (folder) => {
      const env = {
        ...process.env,
        PLAYWRIGHT_BROWSERS_PATH: folder,
        PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT: String(answerWithinMs),
      };
      const installer = join(checkout, "node_modules", "playwright-core", "cli.js");
      const args = [installer, "install", "chromium-headless-shell"];
      await run(process.execPath, args, { cwd: folder, env }).catch((failure) => {
        const reason = failure.message.match(/^Error: (.*)$/m)?.[1] ?? "it does not say why";
        throw new Error(`Playwright's installer can't download it: ${reason}`, { cause: failure });
      });
      const [browser] = browsersIn(folder);
      if (!browser) throw new Error("Playwright's installer has put no browser where it should");
      await showsPages(browser);
    };
    await installOnce(name, build, { log });
  },
};

/** The browsers in a folder of Playwright's, newest first. */
export function browsersIn(folder) {
  if (!existsSync(folder)) return [];
  const revision = (name) => Number(name.split("-")[1]);
  return readdirSync(folder)
    .filter((name) => /^chromium(_headless_shell)?-\d+$/.test(name))
    .sort((a, b) => revision(b) - revision(a))
    .flatMap((name) => programsIn(join(folder, name)));
}

function programsIn(browser) {
  const names = ["chrome-headless-shell", "headless_shell", "chrome"];
  const apps = ["Google Chrome for Testing", "Chromium"].map((name) =>
    join(`${name}.app`, "Contents", "MacOS", name),
  );
  return readdirSync(browser)
    .flatMap((platform) => [...names, ...apps].map((name) => join(browser, platform, name)))
    .filter(isExecutable);
}
