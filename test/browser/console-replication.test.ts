import { afterAll, beforeAll, expect, it } from "vitest";
import type { Page } from "playwright-core";
import type { AddonRecord } from "../../provider/core/facets";
import { agentLog, make, run } from "../contract/agent-support";
import { expectAccessible } from "../support/axe";
import { chromium } from "../support/browser";
import { makeTestHome, type TestHome } from "../support/data-home";
import { startRedisServer } from "../support/redis-server";
import { describeWith } from "../support/tools";
import { expectNotSideways } from "./in-page";
import { fill, openConsole } from "./stack";

const [LEADER, COPY, MOVED] = ["orders", "orders-copy", "moved"];
const KEYS = 20;
const SECRET = "a-leaders-password";

describeWith([chromium], "a person who decides who follows whom", () => {
  let home: TestHome;
  let leader: AddonRecord;
  let copy: AddonRecord;
  beforeAll(async () => {
    home = await makeTestHome();
    const [made, follower] = await Promise.all([make(home, LEADER), make(home, COPY), make(home, MOVED)]);
    [leader, copy] = [made.record, follower.record];
    await fill(leader, KEYS);
  });
  afterAll(() => home[Symbol.asyncDispose]());

  const to = (page: Page, path: string) => page.goto(new URL(path, page.url()).href);
  const main = (page: Page) => page.innerText("main");
  const ends = (page: Page, how: RegExp) =>
    expect.poll(() => page.locator("#activity-title").innerText(), { timeout: 60_000 }).toMatch(how);

  it("has one add-on follow another, after a look at what would happen", async () => {
    await using browser = await openConsole(home);
    const { page } = browser;
    await to(page, `/addons/${COPY}`);
    await page.getByRole("link", { name: "Set as follower" }).click();
    await page.getByLabel("Leader", { exact: true }).selectOption(LEADER);
    await page.getByRole("button", { name: "See what would happen" }).first().click();
    expect(await main(page)).toContain(`${COPY} is to follow ${LEADER}`);
    await expectAccessible(page);
    expect((await home.platform.placement(COPY))?.record.replication, "nothing was changed").toBeUndefined();
    await page.getByRole("button", { name: `Have ${COPY} follow ${LEADER}` }).click();
    await ends(page, /done$/);
    expect(await run(copy, "DBSIZE")).toBe(KEYS);

    await to(page, `/addons/${COPY}`);
    expect(await page.locator("#replication").innerText()).toMatch(/In sync since/);
    await to(page, `/addons/${LEADER}`);
    await expect
      .poll(() => page.locator("#replication").innerText())
      .toMatch(new RegExp(`${COPY}[^]*online`));
  });

  it("promotes the follower", async () => {
    await using browser = await openConsole(home);
    const { page } = browser;
    await to(page, `/addons/${COPY}`);
    await page.getByRole("link", { name: "Promote" }).click();
    await page.getByRole("button", { name: `Promote ${COPY}` }).click();
    await ends(page, /done/);
    expect(await run(copy, "SET", "written", "here")).toBe("OK");
    await to(page, `/addons/${COPY}`);
    expect(await page.locator("#replication").innerText()).toMatch(/leader/);
  });

  it("is told at the field what is wrong with a leader's address, on a phone, and mends it", async () => {
    await using elsewhere = await startRedisServer({ args: ["--requirepass", SECRET, "--databases", "1"] });
    await using browser = await openConsole(home, { width: "narrow" });
    const { page } = browser;
    browser.expectProblem(/POST \S+\/replication\/follow: 422/);
    await to(page, `/addons/${MOVED}/replication/follow`);
    const look = () => page.getByRole("button", { name: "See what would happen" }).last().click();
    await page.getByLabel("Host").fill("127.0.0.1");
    await page.getByLabel("Port").fill(String(elsewhere.port));
    await page.getByLabel("Password", { exact: true }).fill("wrong");
    await look();
    await expect.poll(() => page.getByRole("alert").innerText()).toContain(`${MOVED} can't follow with this`);
    expect(await page.getByLabel("Host").inputValue()).toBe("127.0.0.1");
    expect(await page.getByLabel("Password", { exact: true }).inputValue(), "no secret comes back").toBe("");
    await expectAccessible(page);
    await expectNotSideways(page);

    await page.getByLabel("Password", { exact: true }).fill(SECRET);
    await look();
    expect(await page.content()).not.toContain(SECRET);
    await page.getByRole("button", { name: `Have ${MOVED} follow` }).click();
    await ends(page, /done$/);
    expect(await page.content()).not.toContain(SECRET);
    expect(await agentLog(home)).not.toContain(SECRET);
  });
});
