import { expect, test } from "vitest";
import { makePulumiProject } from "../support/pulumi-project";
import { up, succeed } from "../support/stack-user";

const COUNT = 50;
const program = (evictionPolicy: string) => `
  const { RedisAddon } = require("pulumi-redis-addon");
  for (let i = 0; i < ${COUNT}; i++)
    new RedisAddon("cache-" + i, { plan: "s_mono", evictionPolicy: "${evictionPolicy}" });`;

test(`a stack of ${COUNT} add-ons comes up, changes, refreshes and goes in one run without an error`, async () => {
  await using project = await makePulumiProject();
  await project.program(program("noeviction"));
  await project.pulumi("stack", "init", "dev");
  expect((await up(project)).output).toContain(`${COUNT + 1} created`);
  const names = await project.home.platform.names();
  expect(names).toHaveLength(COUNT);
  const pids = await Promise.all(names.map((name) => project.home.serverPid(name)));
  expect(new Set(pids).size).toBe(COUNT);

  await succeed(project, "preview", "--expect-no-changes");
  await project.program(program("allkeys-lru"));
  expect((await up(project)).output).toContain(`${COUNT} updated`);
  expect(await Promise.all(names.map((name) => project.home.serverPid(name)))).toEqual(pids);
  await succeed(project, "refresh", "--yes", "--skip-preview", "--expect-no-changes");

  const { output } = await succeed(project, "destroy", "--yes", "--skip-preview");
  expect(output).toContain(`${COUNT + 1} deleted`);
  expect(await project.home.platform.names()).toEqual([]);
});
