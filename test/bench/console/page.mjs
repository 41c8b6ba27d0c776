// The console's list, as fetched and as a browser shows it.
import { chromium as playwright } from "playwright-core";
import { chromium } from "../../../.dev/setup/test-tools/chromium.mjs";

/** Logs in as a person does, by the address that works once; returns the cookie, as a header's value. */
export async function logIn(url) {
  const answer = await fetch(url, { redirect: "manual" });
  const cookie = answer.headers.get("set-cookie")?.split(";")[0];
  if (cookie === undefined) throw new Error(`the login address was answered with status ${answer.status}`);
  return cookie;
}

/** Milliseconds until the first byte and until the whole page of HTML was there. */
export async function fetched(origin, cookie, isComplete) {
  const startedAt = performance.now();
  const answer = await fetch(`${origin}/`, { headers: { cookie } });
  const firstByteMs = performance.now() - startedAt;
  const text = await answer.text();
  const wholeMs = performance.now() - startedAt;
  if (!isComplete(text)) throw new Error(`not the whole list: ${answer.status}, ${text.length} characters`);
  return { firstByteMs, wholeMs, kib: text.length / 1024 };
}

export async function openChromium() {
  return playwright.launch({ executablePath: chromium.find() });
}

/** A tab that has loaded nothing yet. */
export async function newTab(browser, origin, cookie) {
  const context = await browser.newContext();
  const [name, value] = cookie.split("=");
  await context.addCookies([{ name, value, url: origin }]);
  return context.newPage();
}

/** Milliseconds until the list was parsed, painted, and ready for a click. */
export async function shown(page, origin, names) {
  await page.goto(`${origin}/`, { waitUntil: "load" });
  const text = await page.innerText("body");
  if (!names.every((name) => text.includes(name))) throw new Error("not every add-on is on the page");
  return page.evaluate(async () => {
    const paint = await new Promise((resolve) => {
      const seen = (entries) => {
        const [first] = entries.getEntriesByName("first-contentful-paint");
        if (first !== undefined) resolve(first);
      };
      new PerformanceObserver(seen).observe({ type: "paint", buffered: true });
    });
    const [navigation] = performance.getEntriesByType("navigation");
    return {
      parsedMs: navigation.domContentLoadedEventEnd,
      paintedMs: paint.startTime,
      loadedMs: navigation.loadEventEnd,
    };
  });
}
