import type { Page } from "playwright-core";
import { expect } from "vitest";

// What runs in pages stands in strings: tests know the types of Node, not those of a browser.

/** How far a page can be moved sideways, in pixels, and what sticks out. */
const SIDEWAYS = `(() => {
  const { scrollWidth, clientWidth } = document.documentElement;
  const wide = scrollWidth > clientWidth
    ? [...document.querySelectorAll("body *")].filter((each) => each.getBoundingClientRect().right > clientWidth)
    : [];
  return { pixels: scrollWidth - clientWidth, wide: wide.slice(-5).map((each) => each.outerHTML.slice(0, 150)) };
})()`;

/** Nobody has to move a page sideways to read it; tables and code may be moved within it. */
export async function expectNotSideways(page: Page): Promise<void> {
  expect(await page.evaluate(SIDEWAYS), page.url()).toEqual({ pixels: 0, wide: [] });
}

/** Opens what is folded, keeps live parts as they are, and numbers everything that can be used, in its order. */
const NUMBER_ALL = `(() => {
  Object.defineProperty(document, "hidden", { get: () => true });
  document.dispatchEvent(new Event("visibilitychange"));
  for (const folded of document.querySelectorAll("details")) folded.open = true;
  const isUsable = (each) =>
    each.tabIndex >= 0 && !each.disabled && each.type !== "hidden" && each.checkVisibility({ visibilityProperty: true });
  // The arrow keys move within a group of radio buttons.
  const isFirst = (each) =>
    each.type !== "radio" || each.checked || !document.querySelector('[name="' + each.name + '"]:checked');
  const all = [...document.querySelectorAll("a[href], button, input, select, textarea, summary, [tabindex]")]
    .filter((each) => isUsable(each) && isFirst(each));
  all.forEach((each, i) => each.setAttribute("data-number", String(i)));
  return all.map((each) => each.outerHTML.slice(0, 120));
})()`;

/** What has the focus, and whether it looks different for it. */
const FOCUSED = `(() => {
  const each = document.activeElement;
  const look = () => {
    const { outlineStyle, outlineWidth, boxShadow, backgroundColor, borderColor } = getComputedStyle(each);
    const outline = outlineStyle === "none" ? "" : outlineStyle + parseFloat(outlineWidth);
    return [outline, boxShadow, backgroundColor, borderColor].join(" ");
  };
  if (each === null || each === document.body) return { number: null };
  const focused = look();
  each.blur();
  const resting = look();
  each.focus({ focusVisible: true, preventScroll: true });
  return {
    number: each.hasAttribute("data-number") ? Number(each.getAttribute("data-number")) : null,
    isSeen: focused !== resting,
    html: each.outerHTML.slice(0, 120),
  };
})()`;

interface Focused {
  readonly number: number | null;
  readonly isSeen?: boolean;
  readonly html?: string;
}

/** Goes through the page by the Tab key alone: everything that can be used is reached, in its order, and seen to be. */
export async function expectKeyboardReachesAll(page: Page): Promise<void> {
  const all = await page.evaluate<readonly string[]>(NUMBER_ALL);
  const reached: number[] = [];
  const unseen: unknown[] = [];
  // Some take several presses, such as the parts of a date; what scrolls takes one and has no number.
  for (let press = 0; press < all.length * 2 + 20 && reached.length < all.length; press++) {
    await page.keyboard.press("Tab");
    const { number, isSeen, html } = await page.evaluate<Focused>(FOCUSED);
    if (number === null || number === reached.at(-1)) continue;
    if (!isSeen) unseen.push(html);
    reached.push(number);
  }
  expect(
    reached.map((number) => all[number]),
    `by Tab on ${page.url()}`,
  ).toEqual(all);
  expect(unseen, `focus that is not seen on ${page.url()}`).toEqual([]);
}
