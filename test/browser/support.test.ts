import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { expect, it } from "vitest";
import { expectAccessible } from "../support/axe";
import { chromium, openBrowser, type BrowserOptions } from "../support/browser";
import { describeWith } from "../support/tools";

const POLICY = "default-src 'none'; style-src 'self'; script-src 'self'";

/** One page, with the console's security policy. */
async function servePage(body: string): Promise<{ readonly url: string } & AsyncDisposable> {
  const server = createServer((request, response) => {
    const isPage = request.url === "/";
    response.writeHead(isPage ? 200 : 404, {
      "content-type": "text/html; charset=utf-8",
      "content-security-policy": POLICY,
    });
    response.end(
      isPage
        ? `<!doctype html><html lang="en"><meta name="viewport" content="width=device-width"><title>A page</title><main><h1>A page</h1>${body}</main>`
        : "",
    );
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Shows a page in a browser that is closed at the end of the test. */
async function show(body: string, options?: BrowserOptions) {
  await using stack = new AsyncDisposableStack();
  const server = stack.use(await servePage(body));
  const browser = stack.use(await openBrowser(options));
  await browser.page.goto(server.url);
  const shown = stack.move();
  return { ...browser, [Symbol.asyncDispose]: () => shown.disposeAsync() };
}

describeWith([chromium], "the browser of tests", () => {
  it.each([
    ["a script in the page", "<script>document.title = 'changed'</script>", /console: .*script-src/],
    ["a style in the page", '<p style="color: red">text</p>', /console: .*style-src/],
    ["what is not there", '<link rel="stylesheet" href="/absent.css">', /GET \/absent\.css: 404/],
    ["what lies elsewhere", '<a href="http://example.com/" id="away">away</a>', /GET \/: net::ERR_NAME/],
  ])("notices %s", async (_, body, problem) => {
    await using browser = await show(body);
    browser.expectProblem(problem);
    const away = browser.page.locator("#away");
    if ((await away.count()) > 0) await away.click();
    await expect.poll(() => browser.problems.some((text) => problem.test(text))).toBe(true);
  });

  it.fails("fails a test that expected no problem", async () => {
    await using browser = await show('<link rel="stylesheet" href="/absent.css">');
    await expect.poll(() => browser.problems).toHaveLength(1);
  });

  it.fails("fails a test whose problem did not come", async () => {
    await using browser = await show("");
    browser.expectProblem(/absent/);
  });

  it("notices a script that throws", async () => {
    await using browser = await show("");
    browser.expectProblem(/script: Error: thrown/);
    await browser.page.evaluate("void setTimeout(() => { throw new Error('thrown'); })");
    await expect.poll(() => browser.problems).toHaveLength(1);
  });

  it.each(["light", "dark"] as const)("is %s where a test wants it", async (colorScheme) => {
    await using browser = await show("", { colorScheme });
    const isDark = await browser.page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches");
    expect(isDark).toBe(colorScheme === "dark");
  });

  it("is as narrow as a phone, and shows what is there without JavaScript", async () => {
    await using browser = await show("<noscript>no scripts</noscript>", {
      width: "narrow",
      javaScript: false,
    });
    expect(await browser.page.evaluate("document.documentElement.clientWidth")).toBe(375);
    expect(await browser.page.innerText("main")).toContain("no scripts");
  });

  it("finds what cannot be read or used, in words", async () => {
    await using browser = await show("<form><input id=search></form>");
    await expect(expectAccessible(browser.page)).rejects.toThrow(/label \(critical\).*\n +#search: Fix any/);
  });

  it("follows a name to where a hostile name server leads it", async () => {
    await using server = await servePage("");
    await using browser = await openBrowser({ hosts: { "evil.example": "127.0.0.1" } });
    await browser.page.goto(server.url.replace("127.0.0.1", "evil.example"));
    expect(await browser.page.innerText("h1")).toBe("A page");
  });
});
