// The npm dependencies, exactly as package-lock.json has them.
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync } from "node:fs";
import { delimiter, dirname, join } from "node:path";
import { cacheFolder } from "./cache.mjs";
import { checkout } from "./checkout.mjs";
import { Stop } from "./stop.mjs";
import { withLock } from "./lock.mjs";
import { run } from "./run.mjs";

/** @param {{ log: (line: string) => void, node: string }} options `node` runs the packages' install scripts */
export async function setUpDependencies({ log, node }) {
  if (!whyInstall()) return;
  const id = createHash("sha256").update(checkout).digest("hex").slice(0, 12);
  mkdirSync(cacheFolder(), { recursive: true });
  // npm ci begins by removing node_modules, so two at once would destroy each other's work.
  await withLock(join(cacheFolder(), `npm-${id}.lock`), { log, what: "npm dependencies" }, async () => {
    const because = whyInstall();
    if (!because) return;
    log(`installing the npm dependencies: ${because}`);
    const env = { ...process.env, PATH: `${dirname(node)}${delimiter}${process.env.PATH}` };
    try {
      await run("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: checkout, env });
    } catch (failure) {
      throw new Stop("the npm dependencies could not be installed", {
        why: [failure.message],
        next: ["check that npm reaches its registry (`npm ping`), then run the same command again"],
      });
    }
  });
}

function whyInstall() {
  const read = (path) => JSON.parse(readFileSync(join(checkout, path), "utf8"));
  let installed;
  try {
    // npm's own record of what it has installed; written last, so a broken-off install has none.
    installed = read("node_modules/.package-lock.json");
  } catch {
    return "node_modules is missing or incomplete";
  }
  const difference = firstDifference(read("package-lock.json").packages, installed.packages);
  return difference && `${difference} differs from package-lock.json`;
}

/**
 * The first package whose installed version is not the locked one. Comparing contents instead of keeping a
 * stamp means that a developer's own `npm install` counts too and nothing is installed twice.
 * @param {Record<string, { version?: string, link?: boolean, optional?: boolean, devOptional?: boolean }>} locked
 * @param {typeof locked} installed
 * @returns {string | undefined}
 */
export function firstDifference(locked, installed) {
  const isPackage = (path) => path.includes("node_modules/");
  for (const [path, wanted] of Object.entries(locked)) {
    if (!isPackage(path)) continue;
    const found = installed[path];
    // Binaries for other platforms are locked too and never installed here.
    if (!found && (wanted.optional || wanted.devOptional)) continue;
    if (!found || found.version !== wanted.version || found.link !== wanted.link) return path;
  }
  return Object.keys(installed).find((path) => isPackage(path) && !locked[path]);
}
