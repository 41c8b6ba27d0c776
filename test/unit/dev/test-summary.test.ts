import { expect, it } from "vitest";
import { byTier, closingLines, notRun } from "../../../.dev/test/summary.mjs";

const file = (name: string, ...statuses: string[]) => ({
  name: `/checkout/test/${name}`,
  status: statuses.includes("failed") ? "failed" : "passed",
  assertionResults: statuses.map((status) => ({ status })),
});

const report = {
  testResults: [
    file("unit/a.test.ts", "passed", "passed"),
    file("unit/core/b.test.ts", "failed", "todo"),
    file("contract/c.test.ts", "skipped", "skipped"),
  ],
};

it("counts by tier and closes with one plain line", () => {
  const tiers = byTier(report, "/checkout");
  expect(tiers).toEqual([
    { tier: "unit", passed: 2, failed: 1, skipped: 1 },
    { tier: "contract", passed: 0, failed: 0, skipped: 2 },
  ]);
  expect(closingLines(tiers).at(-1)).toBe("2 passed, 1 failed, 3 skipped");
});

it("counts a file that could not be loaded as a failure", () => {
  const broken = { ...file("unit/broken.test.ts"), status: "failed" };
  expect(byTier({ testResults: [broken] }, "/checkout")).toEqual([
    { tier: "unit", passed: 0, failed: 1, skipped: 0 },
  ]);
});

it("notices a tier whose tests were all skipped, and one that is absent", () => {
  const tiers = byTier(report, "/checkout");
  expect(notRun(["unit", "contract", "pulumi"], tiers)).toEqual(["contract", "pulumi"]);
});
