// What vitest did, by tier: a tier that ran nothing must not look like one that passed.
import { relative, sep } from "node:path";

/**
 * @param {{ testResults: { name: string, status: string, assertionResults: { status: string }[] }[] }} report
 *   what vitest's JSON reporter writes
 * @param {string} checkout
 * @returns {{ tier: string, passed: number, failed: number, skipped: number }[]} tiers that have test files
 */
export function byTier(report, checkout) {
  const tiers = new Map();
  for (const file of report.testResults) {
    const tier = relative(checkout, file.name).split(sep)[1] ?? "other";
    const counts = tiers.get(tier) ?? { tier, passed: 0, failed: 0, skipped: 0 };
    tiers.set(tier, counts);
    for (const { status } of file.assertionResults) {
      counts[status === "passed" || status === "failed" ? status : "skipped"]++;
    }
    // A file that could not be loaded has no tests that could fail.
    if (file.status === "failed" && file.assertionResults.length === 0) counts.failed++;
  }
  return [...tiers.values()];
}

/**
 * Tiers of which nothing was run.
 * @param {string[]} expected tiers that have test files in the checkout
 * @param {ReturnType<typeof byTier>} tiers
 */
export function notRun(expected, tiers) {
  return expected.filter((name) => {
    const counts = tiers.find(({ tier }) => tier === name);
    return !counts || counts.passed + counts.failed === 0;
  });
}

/** The closing lines; the last one in the form "N passed, N failed, N skipped". */
export function closingLines(tiers) {
  const line = ({ passed, failed, skipped }) => `${passed} passed, ${failed} failed, ${skipped} skipped`;
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const counts of tiers) for (const key of Object.keys(total)) total[key] += counts[key];
  return [...tiers.map((counts) => `  ${counts.tier.padEnd(10)} ${line(counts)}`), line(total)];
}
