import { defineConfig } from "vitest/config";

/** The tiers: pure in milliseconds, each driver on the real thing, the real engine. */
export default defineConfig({
  test: {
    root: `${import.meta.dirname}/..`,
    reporters: ["default"],
    projects: [
      { test: { name: "unit", include: ["test/unit/**/*.test.ts"], testTimeout: 10_000 } },
      {
        test: {
          name: "contract",
          include: ["test/contract/**/*.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
        },
      },
      {
        test: {
          name: "pulumi",
          include: ["test/pulumi/**/*.test.ts"],
          testTimeout: 300_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
