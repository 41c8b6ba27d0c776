import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { makePulumiProject } from "../support/pulumi-project";
import { succeed, up } from "../support/stack-user";

const WARNING = "warning: its backups are failing: the disk is full";

test("backups that aren't fresh any more show as a change in a refresh, and as a warning in every preview", async () => {
  await using project = await makePulumiProject();
  await project.pulumi("stack", "init", "dev");
  const declare = (inputs = "") =>
    project.program(`
      const { RedisAddon } = require("pulumi-redis-addon");
      const cache = new RedisAddon("cache", { plan: "s_mono"${inputs} });
      exports.health = cache.backupHealth;
      exports.restored = cache.restoredBackup;`);
  const outputs = async () => (await succeed(project, "stack", "output", "--json")).stdout;
  await declare();
  await up(project);
  expect(JSON.parse(await outputs())).toEqual({ health: "fresh" });
  await succeed(project, "refresh", "--yes", "--skip-preview", "--expect-no-changes");

  // As the agent notes it.
  const note = { at: new Date().toISOString(), outcome: "failed", detail: "the disk is full", failures: 1 };
  const path = join(project.home.path, "addons", "shop-dev-cache", "backups.json");
  await writeFile(path, JSON.stringify(note));
  const plain = await succeed(project, "preview", "--expect-no-changes");
  expect((await up(project, "--expect-no-changes")).output).toContain(WARNING);
  expect(plain.output).toContain(WARNING);
  const refreshed = await succeed(project, "refresh", "--yes", "--diff");
  expect(refreshed.output).toMatch(/~ backupHealth +: "fresh" => "failing"/);
  expect(refreshed.output).toContain(WARNING);
  await succeed(project, "refresh", "--yes", "--skip-preview", "--expect-no-changes");
  expect((await succeed(project, "preview", "--expect-no-changes")).output).toContain(WARNING);

  await declare(`, evictionPolicy: "allkeys-lru"`);
  const other = await succeed(project, "preview", "--diff");
  expect(other.output).toContain(WARNING);
  expect([...other.output.matchAll(/^ {6}[~+-] (\w+) *:/gm)].map(([, name]) => name)).toEqual([
    "evictionPolicy",
  ]);
  await up(project);
  expect(JSON.parse(await outputs())).toEqual({ health: "failing" });
});
