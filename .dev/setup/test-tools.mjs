// What only tests and benchmarks need. `npm start` never comes here.
import { Stop } from "./stop.mjs";
import { age } from "./test-tools/age.mjs";
import { chromium } from "./test-tools/chromium.mjs";
import { bsdtar, pigz, redisCli } from "./test-tools/debian-tools.mjs";
import { garage } from "./test-tools/garage.mjs";
import { minio } from "./test-tools/minio.mjs";
import { redisPys } from "./test-tools/redis-py.mjs";
import { redis724, servers } from "./test-tools/servers.mjs";
import { versitygw } from "./test-tools/versitygw.mjs";

/**
 * @typedef {object} TestTool
 * @property {string} name with its version, as people read it: "Redis 7.2.4"
 * @property {"downloads" | "builds"} lane tools of one lane are installed one after another: a compiler takes all cores
 * @property {() => string | undefined} find the executable, on the PATH or in the cache
 * @property {() => string | undefined} whyNot why it can't be installed on this machine at all
 * @property {(options: { log: (line: string) => void }) => Promise<void>} install
 */

/** @type {readonly TestTool[]} */
export const forTests = [...servers, redisCli, ...redisPys, bsdtar, chromium, age, versitygw];
/** @type {readonly TestTool[]} */
export const forHeavyTests = [...forTests, minio, garage];
/** redis724 for its redis-cli, Chromium for what the console shows. @type {readonly TestTool[]} */
export const forBenches = [redis724, pigz, chromium, age, versitygw];

/**
 * Installs what isn't there. A tool that can't be had costs the tests that need it, not the others.
 * @param {readonly TestTool[]} tools
 * @param {{ log: (line: string) => void, ci?: boolean }} options with `ci` every tool is needed
 * @returns {Promise<{ name: string, why: string }[]>} the tools that can't be had, and why
 */
export async function setUpTestTools(tools, { log, ci = Boolean(process.env.CI) }) {
  const wanted = tools.filter((tool) => !tool.find());
  const lanes = ["downloads", "builds"].map((lane) => wanted.filter((tool) => tool.lane === lane));
  const lacking = (await Promise.all(lanes.map((lane) => installAll(lane, { log })))).flat();
  if (ci && lacking.length > 0) {
    throw new Stop("with CI=true every test tool must be there", {
      why: lacking.map(({ name, why }) => `${name}: ${why}`),
      next: ["install what is named above, or run without CI=true: the tests that need it are then skipped"],
    });
  }
  return lacking;
}

async function installAll(tools, { log }) {
  const lacking = [];
  for (const tool of tools) {
    try {
      const why = tool.whyNot();
      if (why) lacking.push({ name: tool.name, why });
      else await tool.install({ log });
    } catch (failure) {
      log(`${tool.name}: that failed: ${failure.message}`);
      lacking.push({ name: tool.name, why: failure.message.split("\n")[0] });
    }
  }
  return lacking;
}
