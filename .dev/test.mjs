// npm test [-- arguments for vitest]: set-up, then what can be said without running anything (format, lint,
// types, unused code), then every tier that needs no cluster. Stops at the first failure.
// `--heavy` adds what needs an hour on a new machine: tests on more servers, many rounds, large data.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { passThrough } from "./hand-over.mjs";
import { checkout } from "./setup/checkout.mjs";
import { forHeavyTests, forTests } from "./setup/test-tools.mjs";
import { setUpOrExit, setUpTestToolsOrExit } from "./setup.mjs";
import { runsFor } from "./test/runs.mjs";
import { byTier, closingLines, notRun } from "./test/summary.mjs";

const startedAt = Date.now();
/** What was tested so far, and the tools that can't be had with the reason. */
const counts = [];
const lacking = new Map();
const seconds = (since) => `${((Date.now() - since) / 1000).toFixed(1)} s`;

const { env, node } = await setUpOrExit();
console.log(`✓ set-up (${seconds(startedAt)})`);

await step("format", ["prettier", "bin", "prettier.cjs"], ["--check", "--log-level=warn", "."]);
await step("lint", ["oxlint", "bin", "oxlint"], ["--type-aware", "--deny-warnings"]);
await step("types", ["typescript", "bin", "tsc"], ["--project", "test"]);
await step(
  "unused code",
  ["knip", "bin", "knip.js"],
  ["--config", join(".dev", "knip.json"), "--no-progress"],
);

for (const run of runsFor(process.argv.slice(2))) {
  await setUpTools(run);
  await test(run);
}
console.log(`everything passed in ${seconds(startedAt)}`);
sumUp();

async function setUpTools({ tiers }) {
  // Pure tests need none.
  if (tiers.every((tier) => tier === "unit")) return;
  const since = Date.now();
  const tools = tiers.includes("heavy") ? forHeavyTests : forTests;
  for (const { name, why } of await setUpTestToolsOrExit(tools)) lacking.set(name, why);
  console.log(`✓ tools for ${tiers.join(", ")} (${seconds(since)})`);
}

/** Programs are started by their files: the links in .bin begin with `env node`, which may find another Node. */
async function step(name, program, args) {
  const since = Date.now();
  const file = join(checkout, "node_modules", ...program);
  const code = await passThrough(node, [file, ...args], { env, cwd: checkout });
  if (code !== 0) stop(`${name} failed (${seconds(since)})`, code);
  console.log(`✓ ${name} (${seconds(since)})`);
}

async function test({ tiers, isWhole, args: chosen }) {
  const since = Date.now();
  const folder = mkdtempSync(join(tmpdir(), "redis-addon-test-"));
  const report = join(folder, "report.json");
  const vitest = join(checkout, "node_modules", "vitest", "vitest.mjs");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const args = ["run", "--config", join("test", "vitest.config.mts"), ...reporters, ...chosen];
  const code = await passThrough(node, [vitest, ...args], { env, cwd: checkout });
  const found = existsSync(report) ? byTier(JSON.parse(readFileSync(report, "utf8")), checkout) : [];
  rmSync(folder, { recursive: true });
  counts.push(...found);

  const silent = isWhole ? notRun(tiers.filter(hasTests), found) : [];
  for (const tier of silent) console.log(`the tier ${tier} ran no test`);
  if (code !== 0) stop(`tests failed (${seconds(since)})`, code);
  if (silent.length > 0 && process.env.CI) stop(`with CI=true every tier must run: ${silent.join(", ")}`, 1);
  console.log(`✓ ${tiers.join(", ")} (${seconds(since)})`);
}

function hasTests(tier) {
  const folder = join(checkout, "test", tier);
  return (
    existsSync(folder) && readdirSync(folder, { recursive: true }).some((name) => name.endsWith(".test.ts"))
  );
}

/** What was counted so far, as the last that is printed. */
function sumUp() {
  for (const [name, why] of lacking)
    console.log(`not available here, its tests are skipped: ${name} (${why})`);
  console.log(closingLines(counts).join("\n"));
}

function stop(why, code) {
  console.error(`✗ ${why}`);
  if (counts.length > 0) sumUp();
  process.exit(code);
}
