// Keeps the live parts of a page up to date: elements with `data-live` and an id. The page is fetched again, and what
// has changed in it is put in place. Without this script a page says how things were when it was loaded.

const EVERY_MS = 3_000;
const LONGEST_PAUSE_MS = 30_000;
const PATIENCE_MS = 15_000;

/** What each live part was made of when it was put in place: scripts may have changed its elements since. */
const shown = new Map(liveParts(document).map((part) => [part.id, part.outerHTML]));
/**
 * What has changed while somebody was using the part of the page that it belongs in.
 * @type {Map<string, Element>}
 */
const waiting = new Map();
let lastSeenAt = new Date();
let failures = 0;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

document.documentElement.classList.add("with-scripts");
document.addEventListener("visibilitychange", () => (document.hidden ? clearTimeout(timer) : void look()));
if (!document.hidden) lookLater();

async function look() {
  clearTimeout(timer);
  if (shown.size === 0) return;
  try {
    const answer = await fetch(document.body.dataset.liveFrom ?? location.href, {
      cache: "no-store",
      signal: AbortSignal.timeout(PATIENCE_MS),
    });
    if (answer.status === 401)
      return sayWith("You are logged out, and this page is no longer up to date.", "Log in again");
    if (answer.status === 404) return sayWith("What this page shows is no longer there.", "Look again");
    if (!answer.ok) throw new Error(`it answers ${answer.status}`);
    const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    const { liveFrom } = fresh.body.dataset;
    replaceChanged(fresh);
    // It may say what has been seen, so that the next answer leaves out what is still the same.
    if (liveFrom !== undefined) document.body.dataset.liveFrom = liveFrom;
    lastSeenAt = new Date();
    failures = 0;
    say("");
  } catch {
    failures += 1;
    // One that is missed is no matter: the next comes soon.
    if (failures > 1) say(`Connection lost, last seen ${clockTime(lastSeenAt)}, trying again`);
  }
  lookLater();
}

function lookLater() {
  clearTimeout(timer);
  if (!document.hidden)
    timer = setTimeout(() => void look(), Math.min(EVERY_MS * 2 ** failures, LONGEST_PAUSE_MS));
}

/**
 * A part that a fresh page leaves out is as the last one that had it.
 * @param {Document} fresh
 */
function replaceChanged(fresh) {
  for (const part of liveParts(document)) {
    const next = fresh.getElementById(part.id) ?? waiting.get(part.id);
    waiting.delete(part.id);
    if (next === undefined || next.outerHTML === shown.get(part.id)) continue;
    if (isInUse(part)) {
      waiting.set(part.id, next);
      continue;
    }
    shown.set(part.id, next.outerHTML);
    keepOpened(part, next);
    const scrolled = scrollers(part).map(({ scrollLeft }) => scrollLeft);
    part.replaceChildren(...next.childNodes);
    copyAttributes(part, next);
    scrollers(part).forEach((each, i) => (each.scrollLeft = scrolled[i] ?? 0));
    part.dispatchEvent(new CustomEvent("live:replaced", { bubbles: true }));
  }
}

/** @param {Element} part */
function scrollers(part) {
  return [...part.querySelectorAll(".scroll, pre")];
}

/**
 * Whether somebody would lose their place: the focus, a press of the mouse that isn't released yet, or a selection.
 * @param {Element} part
 */
function isInUse(part) {
  if (part.contains(document.activeElement) || part.querySelector(":active") !== null) return true;
  const selection = getSelection();
  return selection !== null && !selection.isCollapsed && selection.containsNode(part, true);
}

/**
 * What a person has opened or closed stays so, as long as there are as many as before.
 * @param {Element} part
 * @param {Element} next
 */
function keepOpened(part, next) {
  const [before, after] = [part, next].map((each) => [...each.querySelectorAll("details")]);
  if (before.length !== after.length) return;
  after.forEach((details, i) => details.toggleAttribute("open", before[i].hasAttribute("open")));
}

/**
 * @param {Element} part
 * @param {Element} next
 */
function copyAttributes(part, next) {
  for (const { name } of [...part.attributes]) if (!next.hasAttribute(name)) part.removeAttribute(name);
  for (const { name, value } of next.attributes) part.setAttribute(name, value);
}

/**
 * @param {Document} of
 * @returns {Element[]}
 */
function liveParts(of) {
  return [...of.querySelectorAll("[data-live][id]")];
}

/**
 * @param {string} sentence
 * @param {string} title Of a link to this page
 */
function sayWith(sentence, title) {
  const link = document.createElement("a");
  link.href = location.pathname + location.search;
  link.textContent = title;
  say(`${sentence} `, link);
}

/** @param {(string | Node)[]} words */
function say(...words) {
  const place = document.getElementById("connection");
  const text = words.map((word) => (typeof word === "string" ? word : word.textContent)).join("");
  // Said once: setting it again would have it read out again.
  if (place !== null && place.textContent !== text) place.replaceChildren(...words);
}

/** @param {Date} moment */
function clockTime(moment) {
  return moment.toLocaleTimeString("en-GB");
}
