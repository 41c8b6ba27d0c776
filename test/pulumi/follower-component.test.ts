import { afterAll, beforeAll, expect, test } from "vitest";
import { eventually } from "../support/data-home";
import { makeExample, type Example } from "../support/example-program";
import { connectUrl, read, secretOutput, succeed, up, write } from "../support/stack-user";

/** The component that `examples/leader-follower` shows, by its own program. */
let example: Example;
beforeAll(async () => {
  example = await makeExample("leader-follower");
  await example.project.pulumi("stack", "init", "dev");
});
afterAll(() => example.project[Symbol.asyncDispose]());

const url = (output: "redisUrl" | "readOnlyUrl") => secretOutput(example.project, output);

function expectArrival(at: string, session: string): Promise<unknown> {
  return eventually("the follower has it", async () => (await read(at, "session")) === session);
}

async function switchOver(wanted: boolean): Promise<string> {
  const { project } = example;
  await project.pulumi("config", "set", "switchedOver", String(wanted), "--stack", "dev");
  const { output } = await up(project);
  await succeed(project, "preview", "--expect-no-changes");
  await succeed(project, "refresh", "--yes", "--skip-preview", "--expect-no-changes");
  return output;
}

test("one component holds leader, follower and policies", async () => {
  const { project } = example;
  const { output } = await up(project);
  expect(output).toMatch(/\+ 7 created/);
  const stack = await project.stack();
  const { deployment } = await stack.exportStack();
  const { resources } = deployment as { resources: { urn: string; parent?: string }[] };
  const component = resources.find(({ urn }) => urn.endsWith(":ReplicatedRedis::sessions"))?.urn;
  expect(resources.filter(({ parent }) => parent !== undefined && parent === component)).toHaveLength(5);

  await write(await url("redisUrl"), "session", "1");
  await expectArrival(await url("readOnlyUrl"), "1");
  await succeed(project, "preview", "--expect-no-changes");
});

test("`switchedOver: true` exchanges roles and URLs without replacing anything, and a refresh finds no difference", async () => {
  const [first, second] = [await url("redisUrl"), await url("readOnlyUrl")];
  const output = await switchOver(true);
  expect(output).toMatch(/roles exchanged: writes stood still for \d+ ms/);
  expect(output).not.toMatch(/replac/);
  expect([await url("redisUrl"), await url("readOnlyUrl")]).toEqual([second, first]);
  await write(second, "session", "2");
  await using follower = await connectUrl(first);
  expect(String(await follower.command("INFO", "replication"))).toContain("role:slave");
  await expectArrival(first, "2");
});

test("taken back, the first leads again, with what was written meanwhile", async () => {
  const [second, first] = [await url("redisUrl"), await url("readOnlyUrl")];
  await switchOver(false);
  expect([await url("redisUrl"), await url("readOnlyUrl")]).toEqual([first, second]);
  expect(await read(first, "session")).toBe("2");
  await write(first, "session", "3");
  await expectArrival(second, "3");
});

test("switched over, `destroy` leaves no server", async () => {
  await switchOver(true);
  const { output } = await succeed(example.project, "destroy", "--yes", "--skip-preview");
  expect(output).toMatch(/- 7 deleted/);
  expect(await example.project.home.platform.names()).toEqual([]);
});
