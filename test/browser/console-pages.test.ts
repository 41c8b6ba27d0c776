import { afterAll, beforeAll, expect, it } from "vitest";
import { stopAgent } from "../../provider/operations/agent";
import { expectAccessible } from "../support/axe";
import { chromium, type BrowserOptions, type TestBrowser } from "../support/browser";
import { describeWith } from "../support/tools";
import { expectKeyboardReachesAll, expectNotSideways } from "./in-page";
import {
  ADDONS,
  FAILING,
  FOLLOWER,
  FULL,
  LEADER,
  makeStack,
  openConsole,
  SYNCING,
  type Stack,
} from "./stack";

const TABS = ["", "/backups", "/metrics", "/log"];
const PATHS = ["/", "/deleted", ...ADDONS.flatMap((name) => TABS.map((tab) => `/addons/${name}${tab}`))];
const OF_FOLLOWERS = [
  ...["follow", "promote", "switch-over"].map((what) => `/addons/${FOLLOWER}/replication/${what}`),
  `/addons/${SYNCING}/replication/resync`,
];
const OF_A_BACKUP = ["", "/restore-new", "/restore-in-place", "/delete"];

describeWith([chromium], "the console's pages", () => {
  let stack: Stack;
  beforeAll(async () => {
    stack = await makeStack();
  });
  afterAll(() => stack[Symbol.asyncDispose]());

  const ofBackup = () => OF_A_BACKUP.map((path) => `/addons/${LEADER}/backups/${stack.slot}${path}`);

  /** Goes from page to page; a page that isn't there, or says something to the browser's console, fails the test. */
  async function visit(
    paths: readonly string[],
    options: BrowserOptions,
    look: (browser: TestBrowser, path: string) => Promise<void>,
  ): Promise<void> {
    await using browser = await openConsole(stack.home, options);
    for (const path of paths) {
      await browser.page.goto(new URL(path, browser.page.url()).href);
      await look(browser, path);
    }
  }

  // Dozens of pages, each read by axe-core: a minute, and several on a machine that is busy.
  it.each<[string, BrowserOptions]>([
    ["light", {}],
    ["dark", { colorScheme: "dark" }],
    ["narrow", { width: "narrow" }],
    ["narrow and dark", { width: "narrow", colorScheme: "dark" }],
  ])(
    "can be read by everybody, and fit the window: %s",
    async (words, options) => {
      await visit([...PATHS, ...OF_FOLLOWERS, ...ofBackup()], options, async (browser, path) => {
        const { page } = browser;
        await expectAccessible(page);
        await expectNotSideways(page);
        await browser.screenshot(
          `${words}${path === "/" ? "-list" : path.replace("/addons/", "-").replace(stack.slot, "one")}`.replaceAll(
            /[ /]/g,
            "-",
          ),
        );
      });
    },
    300_000,
  );

  it("are used by the keyboard alone: everything is reached in its order, and seen to be", async () => {
    // Other add-ons' are the same pages with other words in them.
    const paths = PATHS.filter(
      (path) => !path.startsWith("/addons/") || path.startsWith(`/addons/${FOLLOWER}`),
    );
    await visit([...paths, `/addons/${LEADER}/backups`, ...OF_FOLLOWERS, ...ofBackup()], {}, ({ page }) =>
      expectKeyboardReachesAll(page),
    );
  });

  it("are read without JavaScript", async () => {
    await visit([...PATHS, ...OF_FOLLOWERS, ...ofBackup()], { javaScript: false }, async ({ page }, path) => {
      const name = path.split("/")[2];
      const shown = name === undefined ? (path === "/" ? ADDONS : []) : [name];
      for (const each of shown) expect(await page.innerText("main"), path).toContain(each);
    });
  });

  it("list what needs somebody first, say why, and find an add-on", async () => {
    await using browser = await openConsole(stack.home);
    const { page } = browser;
    const rows = page.locator("tbody");
    await expect.poll(() => rows.nth(0).innerText()).toContain(FAILING);
    expect(await rows.nth(0).innerText()).toMatch(/not-a-folder/);
    const row = (name: string) => rows.filter({ has: page.getByRole("link", { name, exact: true }) });
    // The console looks at them now and then: the page may show for a moment how they were before it was opened.
    await expect.poll(() => row(SYNCING).innerText(), { timeout: 20_000 }).toMatch(/syncing/);
    expect(await row(FULL).innerText()).toMatch(/1[56]\.\d MiB of 16\.0\s+MiB/);
    expect(await row(FOLLOWER).innerText()).toContain(`follower of ${LEADER}`);

    await page.getByRole("searchbox").fill("copy");
    await page.keyboard.press("Enter");
    await page.waitForURL(/q=copy/);
    expect(await page.getByRole("table").getByRole("link").allInnerTexts()).toEqual([FOLLOWER]);
  });

  it("show a sync while it goes on, without being loaded again", async () => {
    await using browser = await openConsole(stack.home);
    const { page } = browser;
    await page.goto(new URL(`/addons/${SYNCING}`, page.url()).href);
    const text = () => page.innerText("main");
    await expect.poll(text, { timeout: 30_000 }).toMatch(/receiving the leader's snapshot, [\d.]+ MiB/);
    const arrived = async () => Number(/snapshot, ([\d.]+) MiB/.exec(await text())?.[1] ?? "0");
    const before = await arrived();
    await expect.poll(arrived, { timeout: 30_000 }).toBeGreaterThan(before);

    stack.link.set({});
    await expect.poll(text, { timeout: 60_000 }).toMatch(/in sync|synced/);
    await page.goto(new URL("/", page.url()).href);
    await expect.poll(text, { timeout: 30_000 }).toMatch(/follower of 127\.0\.0\.1:\d+: synced/);
  });

  it("say that they are old once the agent has died, and go on after the next login", async () => {
    await using browser = await openConsole(stack.home);
    const { page } = browser;
    browser.expectProblem(/GET \/: net::ERR_CONNECTION_REFUSED/);
    browser.expectProblem(/GET \/: 401/);
    const { origin } = new URL(page.url());
    process.kill(await stack.home.agentPid(), "SIGKILL");
    const state = () => page.locator("#connection").innerText();
    await expect.poll(state, { timeout: 60_000 }).toMatch(/Connection lost, last seen \d\d:\d\d:\d\d/);
    await expectAccessible(page);
    await browser.screenshot("agent-died");
    expect(await page.innerText("main"), "what was seen last is still there").toContain(LEADER);

    await using next = await openConsole(stack.home);
    expect(new URL(next.page.url()).origin, "an open page finds the next console").toBe(origin);
    await expect.poll(state, { timeout: 60_000 }).toMatch(/You are logged out/);
    await expectAccessible(page);
    for (const name of ADDONS) expect(await next.page.innerText("main")).toContain(name);
  });

  it("say so where servers were stopped with their agent", async () => {
    await stopAgent(stack.home.path, false, stack.home.task);
    await using browser = await openConsole(stack.home);
    await browser.screenshot("agent-stopped");
    expect(await browser.page.innerText("main")).toContain(LEADER);
  });
});
