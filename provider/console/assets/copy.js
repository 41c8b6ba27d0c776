// Buttons with `data-copy`, the id of the element whose text they copy.

const SHOWN_MS = 6_000;
/** @type {ReturnType<typeof setTimeout> | undefined} */
let timer;

document.addEventListener("click", (event) => {
  const button = event.target instanceof Element ? event.target.closest("[data-copy]") : null;
  if (button instanceof HTMLElement) void copy(button);
});

/** @param {HTMLElement} button */
async function copy(button) {
  const source = document.getElementById(button.dataset.copy ?? "");
  if (source === null) return;
  try {
    // Absent where the page is served over plain HTTP from another machine.
    if (navigator.clipboard === undefined) throw new Error("there is no clipboard");
    await navigator.clipboard.writeText(source.textContent ?? "");
    announce("Copied");
  } catch {
    getSelection()?.selectAllChildren(source);
    announce("It can't be copied from here. It is selected: press Ctrl+C, or Command+C on a Mac");
  }
}

/** @param {string} text */
function announce(text) {
  const place = document.getElementById("announcer");
  if (place === null) return;
  clearTimeout(timer);
  // The same text again would not be read out.
  place.textContent = "";
  requestAnimationFrame(() => (place.textContent = text));
  timer = setTimeout(() => (place.textContent = ""), SHOWN_MS);
}
