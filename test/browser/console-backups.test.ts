import { readFileSync, globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, it } from "vitest";
import type { Page } from "playwright-core";
import { make, run } from "../contract/agent-support";
import { expectAccessible } from "../support/axe";
import { chromium } from "../support/browser";
import { makeTestHome, type TestHome } from "../support/data-home";
import { describeWith } from "../support/tools";
import { expectNotSideways } from "./in-page";
import { fill, openConsole } from "./stack";

const NAME = "cache";
const KEYS = 20;
const COPY = "cache-restored";

describeWith([chromium], "a person at an add-on's backups", () => {
  let home: TestHome;
  beforeAll(async () => {
    home = await makeTestHome();
    await fill((await make(home, NAME)).record, KEYS);
  });
  afterAll(() => home[Symbol.asyncDispose]());

  const toBackups = (page: Page) => page.goto(new URL(`/addons/${NAME}/backups`, page.url()).href);
  const main = (page: Page) => page.innerText("main");
  /** `back up cache done`. */
  const activity = (page: Page) => page.locator("#activity-title").innerText();
  const ends = (page: Page, how: RegExp) =>
    expect.poll(() => activity(page), { timeout: 60_000 }).toMatch(how);

  it("backs up, sees how it goes until it is done, and downloads what was stored", async () => {
    await using browser = await openConsole(home);
    const { page } = browser;
    await toBackups(page);
    expect(await main(page)).toContain(`${NAME} has no backups yet`);
    await page.getByRole("button", { name: "Back up now" }).click();
    await ends(page, /done$/);
    await expectAccessible(page);
    await page.getByRole("link", { name: "This backup" }).click();
    const coming = page.waitForEvent("download");
    await page.getByRole("link", { name: "Download" }).click();
    const got = await coming;
    const [stored = ""] = globSync(join(home.path, "backups", "**", "*.tar.gz"));
    expect(await readFile(await got.path())).toEqual(readFileSync(stored));
  });

  it("sees one that somebody else takes, in the table and the calendar, without loading the page again", async () => {
    await using browser = await openConsole(home);
    const { page } = browser;
    await toBackups(page);
    const rows = page.locator(".backups tbody tr");
    const before = await rows.count();
    await home.platform.backUp(NAME, home.task);
    await expect.poll(() => rows.count(), { timeout: 30_000 }).toBe(before + 1);
    expect(await page.locator("#calendar .day.verified").first().isVisible()).toBe(true);
    await page.getByRole("table").getByRole("link").first().focus();
    await home.platform.backUp(NAME, home.task);
    const state = page.locator("#state");
    await expect
      .poll(() => state.innerText(), { timeout: 30_000 })
      .toMatch(new RegExp(`Stored\\s+${before + 2},`));
    expect(await rows.count(), "where the focus is nothing moves").toBe(before + 1);
    await page.getByRole("link", { name: "Metrics" }).focus();
    await expect.poll(() => rows.count(), { timeout: 30_000 }).toBe(before + 2);
  });

  it("pins and verifies one, in a phone's window", async () => {
    await using browser = await openConsole(home, { width: "narrow" });
    const { page } = browser;
    await toBackups(page);
    await page.getByRole("table").getByRole("link").first().click();
    await page.getByLabel(/Pin it/).fill("before the move");
    await page.getByRole("button", { name: "Pin" }).click();
    await expect.poll(() => main(page)).toContain("It is pinned: before the move");
    await page.getByRole("button", { name: "Verify" }).click();
    await ends(page, /done$/);
    expect(await main(page)).toContain(`${KEYS} keys`);
    await expectAccessible(page);
    await expectNotSideways(page);
  });

  it("restores one into a new add-on, without JavaScript", async () => {
    await using browser = await openConsole(home, { javaScript: false });
    const { page } = browser;
    await toBackups(page);
    await page.getByRole("table").getByRole("link").first().click();
    await page.getByRole("link", { name: "Restore into a new add-on" }).click();
    await page.getByRole("button", { name: `Make ${COPY}` }).click();
    const ended = async () => {
      await page.reload();
      return activity(page);
    };
    await expect.poll(ended, { timeout: 60_000, interval: 500 }).toMatch(/done$/);
    await page.getByRole("link", { name: COPY, exact: true }).click();
    expect(await main(page)).toContain(COPY);
    const record = (await home.platform.placement(COPY))?.record;
    expect(record && (await run(record, "DBSIZE"))).toBe(KEYS);
  });

  it("is told why a backup failed, and what to do", async () => {
    const change = { facet: "backups", name: NAME, claim: { kind: "person" }, given: [] } as const;
    const destination = `file://${home.path}/agent.log/not-a-folder`;
    const wish = { schedule: { daily: "03:00" }, retention: { days: 7 }, destination } as const;
    await home.platform.apply({ ...change, wish }, home.task);
    await using browser = await openConsole(home);
    const { page } = browser;
    await page.goto(new URL(`/addons/${NAME}`, page.url()).href);
    await page.getByRole("link", { name: "Backups", exact: true }).first().click();
    await page.getByRole("button", { name: "Back up now" }).click();
    await ends(page, /failed$/);
    expect(await main(page)).toMatch(/not-a-folder: a part of the path is a file/);
    await expectAccessible(page);
  });
});
