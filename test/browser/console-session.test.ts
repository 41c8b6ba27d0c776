import { afterAll, beforeAll, expect, it } from "vitest";
import { consoleLogin } from "../../provider/operations/agent";
import { agentLog, make } from "../contract/agent-support";
import { expectAccessible } from "../support/axe";
import { chromium, openBrowser } from "../support/browser";
import { eventually, makeTestHome, type TestHome } from "../support/data-home";
import { describeWith } from "../support/tools";
import { openConsole } from "./stack";

const NAME = "cache";

describeWith([chromium], "a person at the console", () => {
  let home: TestHome;
  let password: string;
  beforeAll(async () => {
    home = await makeTestHome();
    ({ password } = (await make(home, NAME)).record.credentials);
  });
  afterAll(() => home[Symbol.asyncDispose]());

  it("logs in by the printed address, once", async () => {
    const { url } = await consoleLogin(home.path, home.task);
    await using browser = await openBrowser();
    await browser.page.goto(url);
    expect(browser.page.url(), "the token is in no address that a browser remembers").toBe(
      new URL("/", url).href,
    );
    expect(await browser.page.innerText("main")).toContain(NAME);

    await using other = await openBrowser();
    other.expectProblem(/GET \/login\?token=\S+: 401/);
    await other.page.goto(url);
    expect(await other.page.innerText("main")).toContain("This address is used up");
    await expectAccessible(other.page);
  });

  it("is led to the login from every page, and sees nothing of any add-on before", async () => {
    const { url } = await consoleLogin(home.path, home.task);
    await using browser = await openBrowser();
    for (const path of ["/", `/addons/${NAME}`, `/addons/${NAME}/log`, "/no/such/page"]) {
      browser.expectProblem(new RegExp(`GET ${path}: 401`));
      await browser.page.goto(new URL(path, url).href);
      expect(await browser.page.innerText("main")).toContain("redis-addon console");
      expect(await browser.page.content()).not.toContain(home.path);
    }
    await expectAccessible(browser.page);
  });

  it("logs out, and is out in every tab", async () => {
    await using browser = await openConsole(home);
    const other = await browser.context.newPage();
    await other.goto(browser.page.url());
    await browser.page.getByRole("button", { name: "Log out" }).click();
    expect(await browser.page.innerText("main")).toContain("You have logged out");
    await expectAccessible(browser.page);
    browser.expectProblem(/GET \/: 401/);
    await other.reload();
    expect(await other.innerText("main")).toContain("redis-addon console");
  });

  it("reveals the credentials, which are in no page before, and that is logged", async () => {
    await using browser = await openConsole(home);
    const { page } = browser;
    await page.getByRole("link", { name: NAME, exact: true }).click();
    expect(await page.content()).not.toContain(password);
    await page.getByRole("button", { name: "Reveal the credentials" }).click();
    await expect.poll(() => page.innerText("main")).toContain(password);
    expect(page.url()).not.toContain(password);
    await expectAccessible(page);
    await eventually("it is logged", async () => /reveal/i.test(await agentLog(home)));
    expect(await agentLog(home)).not.toContain(password);

    await page.getByRole("link", { name: "Hide the credentials" }).click();
    await expect.poll(() => page.content()).not.toContain(password);
    browser.expectProblem(/POST \S+: net::ERR_CACHE_MISS/);
    await expect(page.goBack(), "no cache has kept it").rejects.toThrow("ERR_CACHE_MISS");
  });

  it("reveals the credentials without JavaScript too", async () => {
    await using browser = await openConsole(home, { javaScript: false });
    await browser.page.getByRole("link", { name: NAME, exact: true }).click();
    await browser.page.getByRole("button", { name: "Reveal the credentials" }).click();
    expect(await browser.page.innerText("main")).toContain(password);
  });

  it("copies what a button stands beside, and is told so", async () => {
    await using browser = await openConsole(home, { permissions: ["clipboard-read", "clipboard-write"] });
    const { page } = browser;
    await page.getByRole("link", { name: NAME, exact: true }).click();
    await page.getByRole("button", { name: "Reveal the credentials" }).click();
    await page.getByRole("button", { name: "Copy the password" }).click();
    await expect.poll(() => page.evaluate("navigator.clipboard.readText()")).toBe(password);
    await expect.poll(() => page.locator("#announcer").innerText()).toBe("Copied");
  });

  it("is not taken to the console by another site's name for it", async () => {
    const { url } = await consoleLogin(home.path, home.task);
    await using browser = await openBrowser({ hosts: { "rebound.example": "127.0.0.1" } });
    const hostile = url.replace("127.0.0.1", "rebound.example");
    browser.expectProblem(/GET \/login\?token=\S+: 4\d\d/);
    await browser.page.goto(hostile);
    expect(await browser.context.cookies()).toEqual([]);
    expect(await browser.page.content()).not.toContain(NAME);
    // The address was not used up.
    await browser.page.goto(url);
    expect(await browser.page.innerText("main")).toContain(NAME);
  });
});
