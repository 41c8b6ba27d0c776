import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";

// Every test's agent would serve a console of its own; those that are about it say otherwise.
process.env["REDIS_ADDON_CONSOLE"] = "off";

/** The tiers: pure in milliseconds, each driver on the real thing, the real engine, a real browser, what takes long. */
export default defineConfig({
  test: {
    root: `${import.meta.dirname}/..`,
    reporters: ["default"],
    // Most of a test's time is waiting, for an engine to start or a server to answer: one worker a core leaves cores idle.
    maxWorkers: Math.max(3, availableParallelism()),
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
      {
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          env: { REDIS_ADDON_CONSOLE: "" },
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "heavy",
          include: ["test/heavy/**/*.test.ts"],
          testTimeout: 900_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
