import { mkdirSync } from "node:fs";
import { tmpdir, userInfo } from "node:os";
import { join } from "node:path";
import { type BrowserContext, chromium as playwright, type Page } from "playwright-core";
import { expect } from "vitest";
import { findTool, pathOf } from "./tools";

/** For `describeWith`: groups of tests that open a browser. */
export const chromium = findTool("Chromium");

export interface BrowserOptions {
  readonly colorScheme?: "light" | "dark";
  /** `wide`: 1280 px, as on a desk; `narrow`: 375 px and touched, as a phone. Default `wide`. */
  readonly width?: "wide" | "narrow";
  /** Default true. */
  readonly javaScript?: boolean;
  /** Names that lead to an address, as a hostile name server would have it; no other name leads anywhere. */
  readonly hosts?: Readonly<Record<string, string>>;
  /** What pages may do without asking, such as "clipboard-read". */
  readonly permissions?: readonly string[];
}

/** A browser with one page, without a memory of earlier ones. */
export interface TestBrowser extends AsyncDisposable {
  readonly page: Page;
  readonly context: BrowserContext;
  /** What went wrong in pages so far. */
  readonly problems: readonly string[];
  /**
   * Problems that the test is about: an error in the console, a request that fails, an answer of 400 or more. Each
   * must be met by then.
   */
  expectProblem(problem: RegExp): void;
  /** Of the whole page, kept as `<name>.png`. */
  screenshot(name: string): Promise<void>;
}

/** Where pictures are kept: of each test the last thing that was seen, and what tests take by name. */
function screenshotFolder(): string {
  const folder = process.env["SCREENSHOTS"] ?? join(tmpdir(), `redis-addon-screenshots-${userInfo().uid}`);
  mkdirSync(folder, { recursive: true });
  return folder;
}

/**
 * Opens Chromium. When it is disposed, the test fails if anything went wrong in a page that it did not expect: what a
 * page writes to the console as an error (violations of its security policy are among them), a script that throws, a
 * request that fails or is refused.
 */
export async function openBrowser({
  colorScheme = "light",
  width = "wide",
  javaScript = true,
  hosts = {},
  permissions = [],
}: BrowserOptions = {}): Promise<TestBrowser> {
  const rules = Object.entries(hosts).map(([name, address]) => `MAP ${name} ${address}`);
  // Nothing that a page asks for may come from elsewhere.
  const nowhere = "MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE [::1]";
  const browser = await playwright.launch({
    executablePath: pathOf(chromium),
    args: [`--host-resolver-rules=${[...rules, nowhere].join(", ")}`, "--disable-gpu"],
  });
  const context = await browser.newContext({
    colorScheme,
    javaScriptEnabled: javaScript,
    permissions: [...permissions],
    // Pictures and measured colours must not depend on the moment.
    reducedMotion: "reduce",
    locale: "en-GB",
    timezoneId: "UTC",
    ...(width === "narrow"
      ? { viewport: { width: 375, height: 667 }, isMobile: true, hasTouch: true }
      : { viewport: { width: 1280, height: 800 } }),
  });
  // Sooner than the test's own end, so that it says what was waited for.
  context.setDefaultTimeout(20_000);
  const problems = noteProblems(context);
  const expected: RegExp[] = [];
  const page = await context.newPage();
  const screenshot = async (name: string) => {
    await page.screenshot({ path: join(screenshotFolder(), `${name}.png`), fullPage: true });
  };
  return {
    page,
    context,
    problems,
    expectProblem: (problem) => void expected.push(problem),
    screenshot,
    [Symbol.asyncDispose]: async () => {
      if (!page.isClosed()) await screenshot(fileName(expect.getState().currentTestName ?? "page"));
      await browser.close();
      // Soft: beside the test's own failure, not instead of it.
      const unexpected = problems.filter((problem) => !expected.some((pattern) => pattern.test(problem)));
      expect.soft(unexpected, "problems in the browser").toEqual([]);
      const unmet = expected.filter((pattern) => !problems.some((problem) => pattern.test(problem)));
      expect.soft(unmet, "expected problems that were not met").toEqual([]);
    },
  };
}

function noteProblems(context: BrowserContext): string[] {
  const problems: string[] = [];
  const path = (url: string) => url.replace(/^https?:\/\/[^/]*/, "");
  context.on("console", (message) => {
    const text = message.text();
    // Answers are noted with their request below; and a name that isn't localhost, without TLS, is a test's own doing.
    const isKnown = text.startsWith("Failed to load resource") || text.includes("origin was untrustworthy");
    if (message.type() === "error" && !isKnown) problems.push(`console: ${text}`);
  });
  context.on("weberror", (failure) => problems.push(`script: ${String(failure.error())}`));
  context.on("requestfailed", (request) => {
    const why = request.failure()?.errorText ?? "";
    // What a page was still reading when it was left, such as a stream of events.
    if (why !== "net::ERR_ABORTED") problems.push(`${request.method()} ${path(request.url())}: ${why}`);
  });
  context.on("response", (response) => {
    const { status, url } = { status: response.status(), url: path(response.url()) };
    if (status >= 400) problems.push(`${response.request().method()} ${url}: ${status}`);
  });
  return problems;
}

const fileName = (text: string) =>
  text
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .slice(0, 120);
