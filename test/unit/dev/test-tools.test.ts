import { expect, it } from "vitest";
import { setUpTestTools, type TestTool } from "../../../.dev/setup/test-tools.mjs";

const quiet = { log: () => undefined, ci: false };

/** Tools that note when their installation begins and ends. */
function workshop() {
  const events: string[] = [];
  const tool = (name: string, lane: TestTool["lane"], more: Partial<TestTool> = {}): TestTool => ({
    name,
    lane,
    find: () => undefined,
    whyNot: () => undefined,
    install: async () => {
      events.push(`${name} begins`);
      await new Promise((resolve) => setImmediate(resolve));
      events.push(`${name} ends`);
    },
    ...more,
  });
  return { events, tool };
}

it("two tools that are built never take the machine at once, downloads go on beside them", async () => {
  const { events, tool } = workshop();
  await setUpTestTools([tool("first", "builds"), tool("file", "downloads"), tool("second", "builds")], quiet);
  const builds = events.filter((event) => !event.startsWith("file"));
  expect(builds).toEqual(["first begins", "first ends", "second begins", "second ends"]);
  expect(events.indexOf("file begins")).toBeLessThan(events.indexOf("first ends"));
});

it("a tool that is there is left as it is", async () => {
  const { events, tool } = workshop();
  expect(await setUpTestTools([tool("age", "builds", { find: () => "/usr/bin/age" })], quiet)).toEqual([]);
  expect(events).toEqual([]);
});

it("a tool that can't be had is named with the reason, and the others are installed", async () => {
  const { events, tool } = workshop();
  const lacking = await setUpTestTools(
    [
      tool("elsewhere", "downloads", { whyNot: () => "for Linux only" }),
      tool("broken", "downloads", { install: () => Promise.reject(new Error("no network\nat all")) }),
      tool("fine", "downloads"),
    ],
    quiet,
  );
  expect(lacking).toEqual([
    { name: "elsewhere", why: "for Linux only" },
    { name: "broken", why: "no network" },
  ]);
  expect(events).toEqual(["fine begins", "fine ends"]);
});

it("with CI=true a tool that can't be had ends the set-up", async () => {
  const { tool } = workshop();
  const tools = [tool("elsewhere", "downloads", { whyNot: () => "for Linux only" })];
  await expect(setUpTestTools(tools, { ...quiet, ci: true })).rejects.toThrow("elsewhere: for Linux only");
});
