import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { getRequestListener } from "@hono/node-server";
import { Hono } from "hono";
import type { Page } from "playwright-core";
import { expect, it } from "vitest";
import { consoleApp } from "../../provider/console/app";
import { assets } from "../../provider/console/static-files";
import { SECURITY_HEADERS } from "../../provider/console/security/headers";
import type { Sample } from "../../provider/console/watch/samples";
import type { AddonStatus } from "../../provider/core/status";
import { expectAccessible } from "../support/axe";
import { chromium, openBrowser, type TestBrowser } from "../support/browser";
import { NOW, RUNNING, shownAddon, stillContext } from "../support/shown-addon";
import { describeWith } from "../support/tools";

const CACHE = shownAddon({ name: "cache" });
const QUEUE = shownAddon({ name: "queue" });
const DOWN = shownAddon({ name: "cache", health: "down", problems: ["its server does not run"] });
const TROUBLE = "Its server does not run.";

/** In a string: tests know the types of Node, not those of a browser. */
const NOTE_CHANGES = `
  window.changes = [];
  new MutationObserver((records) => changes.push(...records))
    .observe(document.body, { subtree: true, childList: true, attributes: true, characterData: true });
`;

describeWith([chromium], "a page that is looked at", () => {
  it("shows what has changed, and touches nothing else", async () => {
    await using shown = await show("/", [CACHE, QUEUE]);
    const { page } = shown;
    await page.evaluate(NOTE_CHANGES);
    const before = shown.requests();
    await eventually(page, () => Promise.resolve(shown.requests() > before + 2));
    expect(await page.evaluate("changes.length")).toBe(0);
    shown.set([DOWN, QUEUE]);
    await eventually(page, () => page.getByText(TROUBLE).isVisible());
    expect(await page.getByText("1 with problems").isVisible()).toBe(true);
  });

  it("leaves alone where somebody's focus is, until it is elsewhere", async () => {
    await using shown = await show("/", [CACHE, QUEUE]);
    const { page } = shown;
    await page.getByRole("link", { name: "queue" }).focus();
    shown.set([DOWN, QUEUE]);
    await eventually(page, () => page.getByText("1 with problems").isVisible());
    expect(await page.getByText(TROUBLE).count()).toBe(0);
    await page.getByRole("searchbox").focus();
    await eventually(page, () => page.getByText(TROUBLE).isVisible());
  });

  it("leaves alone what somebody has selected", async () => {
    await using shown = await show("/addons/cache", [CACHE]);
    const { page } = shown;
    await page.locator("#server dd", { hasText: "127.0.0.1" }).selectText();
    shown.set([{ ...DOWN, server: { ...RUNNING, keys: 99 } }]);
    await eventually(page, () => page.getByText(TROUBLE).isVisible());
    expect(await page.locator("#server").textContent()).toContain("12,345");
    expect(await page.evaluate("String(getSelection())")).toContain("127.0.0.1:41001");
  });

  it("leaves open what somebody has opened", async () => {
    const usedAt = (minutesAgo: number, memoryUsedBytes: number) => ({
      at: NOW - minutesAgo * 60_000,
      memoryUsedBytes,
    });
    const samples = [usedAt(2, 1024 ** 2), usedAt(1, 2 * 1024 ** 2)];
    await using shown = await show("/addons/cache/metrics?part=measured", [CACHE], { samples });
    const { page } = shown;
    await page.getByText("In figures").first().click();
    await page.getByRole("link", { name: "24 hours" }).focus();
    samples.push(usedAt(0, 77 * 1024 ** 2));
    await eventually(page, () => page.getByText("now 77.0 MiB").isVisible());
    expect(await page.locator("details[open]").count()).toBe(1);
  });

  it("reads a plot out at each moment, to who points at it and to who has keys alone", async () => {
    const samples = [3, 2, 1].map((minutes) => ({
      at: NOW - minutes * 60_000,
      memoryUsedBytes: minutes * 1024 ** 2,
    }));
    await using shown = await show("/addons/cache/metrics?part=measured", [CACHE], { samples });
    const { page } = shown;
    const [plot, slider] = [page.locator(".plot").first(), page.getByRole("slider", { name: /Memory/ })];
    await slider.focus();
    await page.keyboard.press("ArrowLeft");
    expect(await slider.getAttribute("aria-valuetext")).toBe("11:58:00: 2.0 MiB");
    expect(await plot.locator(".readout").innerText()).toBe("11:58:00: 2.0 MiB");
    await expectAccessible(page);
    await slider.blur();
    await plot.locator("svg").hover({ position: { x: 100, y: 20 } });
    expect(await plot.locator(".readout").innerText()).toBe("11:57:00: 3.0 MiB");
    samples.push({ at: NOW, memoryUsedBytes: 77 * 1024 ** 2 });
    await eventually(page, () => page.getByText("now 77.0 MiB").isVisible());
    expect(await slider.count(), "what was put in place is readable too").toBe(1);
    expect(await slider.getAttribute("aria-valuetext")).toBe("12:00:00: 77.0 MiB");
  });

  it("says that the console is away since when, and no more once it is back", async () => {
    await using shown = await show("/", [CACHE]);
    const { page } = shown;
    shown.expectProblem(/GET \/: 500/);
    shown.answerWith(500);
    const lost = page
      .getByRole("status")
      .filter({ hasText: /^Connection lost, last seen \d\d:\d\d:\d\d, trying again$/ });
    await eventually(page, () => lost.isVisible());
    await expectAccessible(page);
    shown.answerWith(undefined);
    await eventually(page, async () => (await lost.count()) === 0);
  });

  it("leads to the login once the session has ended, and asks no more", async () => {
    await using shown = await show("/addons/cache", [CACHE]);
    const { page } = shown;
    shown.expectProblem(/GET \/addons\/cache: 401/);
    shown.answerWith(401);
    const link = page.getByRole("link", { name: "Log in again" });
    await eventually(page, () => link.isVisible());
    expect(await link.getAttribute("href")).toBe("/addons/cache");
    const asked = shown.requests();
    await page.clock.runFor(120_000);
    expect(shown.requests()).toBe(asked);
  });

  it("says that its add-on is gone", async () => {
    await using shown = await show("/addons/cache", [CACHE]);
    shown.expectProblem(/GET \/addons\/cache: 404/);
    shown.set([]);
    await eventually(shown.page, () => shown.page.getByText("no longer there").isVisible());
  });
});

describeWith([chromium], "a copy button", () => {
  it("selects what it stands beside where a browser lets nobody copy", async () => {
    await using shown = await show("/addons/cache", [CACHE]);
    const { page } = shown;
    await page.getByRole("button", { name: "Reveal the credentials" }).click();
    await page.getByRole("button", { name: "Copy the password" }).click();
    await eventually(page, () => page.getByText("press Ctrl+C").isVisible());
    expect(await page.evaluate("String(getSelection())")).toBe("user-pw");
  });
});

interface Shown extends TestBrowser {
  set(addons: readonly AddonStatus[]): void;
  /** Every request but those of assets is answered so; absent: as usual. */
  answerWith(status: 401 | 500 | undefined): void;
  /** How many there were, without those of assets. */
  requests(): number;
}

/** Opens one of the console's pages, of add-ons that are only told of. Its time stands still until `eventually`. */
async function show(
  path: string,
  addons: readonly AddonStatus[],
  { samples = [] }: { readonly samples?: readonly Sample[] } = {},
): Promise<Shown> {
  const stack = new AsyncDisposableStack();
  let [told, status, requests] = [addons, undefined as 401 | 500 | undefined, 0];
  const app = new Hono()
    .use(async (c, next) => {
      for (const [name, value] of Object.entries(SECURITY_HEADERS)) c.header(name, value);
      await next();
    })
    .route("/assets", await assets())
    .all("*", (c) => {
      requests += 1;
      return status === undefined
        ? consoleApp(stillContext(told, { samples })).fetch(c.req.raw)
        : c.text("", status);
    });
  const answer = getRequestListener(app.fetch);
  const server = createServer((request, response) => void answer(request, response));
  stack.defer(() => server.closeAllConnections());
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stack.defer(() => void server.close());
  const browser = stack.use(await openBrowser());
  await browser.page.clock.install();
  await browser.page.goto(`http://127.0.0.1:${(server.address() as AddressInfo).port}${path}`);
  return {
    ...browser,
    set: (next) => void (told = next),
    answerWith: (next) => void (status = next),
    requests: () => requests,
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** Lets the page's time pass until the condition holds. */
async function eventually(page: Page, holds: () => Promise<boolean>): Promise<void> {
  await expect
    .poll(async () => {
      await page.clock.runFor(1_000);
      return holds();
    })
    .toBe(true);
}
