// npm test [-- arguments for vitest]: set-up, then what can be said without running anything (format, lint,
// types, unused code), then every tier that needs no cluster. Stops at the first failure.
import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { passThrough } from "./hand-over.mjs";
import { checkout } from "./setup/checkout.mjs";
import { setUpOrExit } from "./setup.mjs";
import { byTier, closingLines, notRun } from "./test/summary.mjs";

const tiers = ["unit", "contract", "pulumi"];
const chosen = process.argv.slice(2);
const startedAt = Date.now();
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
await test();
console.log(`everything passed in ${seconds(startedAt)}`);

/** Programs are started by their files: the links in .bin begin with `env node`, which may find another Node. */
async function step(name, program, args) {
  const since = Date.now();
  const file = join(checkout, "node_modules", ...program);
  const code = await passThrough(node, [file, ...args], { env, cwd: checkout });
  if (code !== 0) stop(`${name} failed (${seconds(since)})`, code);
  console.log(`✓ ${name} (${seconds(since)})`);
}

async function test() {
  const since = Date.now();
  const folder = mkdtempSync(join(tmpdir(), "redis-addon-test-"));
  const report = join(folder, "report.json");
  const vitest = join(checkout, "node_modules", "vitest", "vitest.mjs");
  const reporters = ["--reporter=default", "--reporter=json", `--outputFile.json=${report}`];
  const args = ["run", "--config", join("test", "vitest.config.mts"), ...reporters, ...chosen];
  const code = await passThrough(node, [vitest, ...args], { env, cwd: checkout });
  const counts = existsSync(report) ? byTier(JSON.parse(readFileSync(report, "utf8")), checkout) : [];
  rmSync(folder, { recursive: true });

  const silent = chosen.length > 0 ? [] : notRun(tiers.filter(hasTests), counts);
  for (const tier of silent) console.log(`the tier ${tier} ran no test`);
  console.log(closingLines(counts).join("\n"));
  if (code !== 0) stop(`tests failed (${seconds(since)})`, code);
  if (silent.length > 0 && process.env.CI) stop(`with CI=true every tier must run: ${silent.join(", ")}`, 1);
}

function hasTests(tier) {
  const folder = join(checkout, "test", tier);
  return (
    existsSync(folder) && readdirSync(folder, { recursive: true }).some((name) => name.endsWith(".test.ts"))
  );
}

function stop(why, code) {
  console.error(`✗ ${why}`);
  process.exit(code);
}
