// Plots are read by pointing at them, or with the arrow keys of the slider below them: `data-readout` of a plot's picture
// has a line for each moment, made by the server. Without this script the figures below a plot say the same.

const SVG = "http://www.w3.org/2000/svg";

for (const figure of plotsIn(document)) makeReadable(figure);
document.addEventListener("live:replaced", (event) => {
  if (event.target instanceof Element) for (const figure of plotsIn(event.target)) makeReadable(figure);
});

/**
 * @typedef {object} Moment
 * @property {number} x Across, in the units of the picture
 * @property {number} y From the top
 * @property {string} words
 */

/**
 * @param {ParentNode} within
 * @returns {Element[]}
 */
function plotsIn(within) {
  return [...within.querySelectorAll(".plot:has(svg[data-readout])")];
}

/** @param {Element} figure */
function makeReadable(figure) {
  const picture = figure.querySelector("svg");
  const moments = momentsOf(picture?.dataset.readout ?? "");
  const newest = moments.at(-1);
  if (picture === null || newest === undefined) return;
  const mark = made("circle", { class: "mark", r: "4", visibility: "hidden" });
  const line = made("line", {
    class: "cursor",
    y1: "0",
    y2: picture.dataset.height ?? "0",
    visibility: "hidden",
  });
  picture.append(line, mark);
  const words = document.createElement("p");
  words.className = "readout";
  // The slider tells it to who can't see it.
  words.setAttribute("aria-hidden", "true");
  const slider = document.createElement("input");
  slider.type = "range";
  slider.max = String(moments.length - 1);
  slider.value = slider.max;
  slider.setAttribute("aria-label", `Moments of: ${figure.querySelector("h2")?.textContent ?? ""}`);
  slider.setAttribute("aria-valuetext", newest.words);
  picture.after(words, slider);

  /** @param {number} index */
  const show = (index) => {
    const moment = moments[index];
    if (moment === undefined) return;
    slider.value = String(index);
    slider.setAttribute("aria-valuetext", moment.words);
    words.textContent = moment.words;
    place(mark, { cx: moment.x, cy: moment.y });
    place(line, { x1: moment.x, x2: moment.x });
  };
  const hide = () => {
    if (document.activeElement === slider) return show(Number(slider.value));
    for (const each of [mark, line]) each.setAttribute("visibility", "hidden");
    words.textContent = "";
  };
  slider.addEventListener("input", () => show(Number(slider.value)));
  slider.addEventListener("focus", () => show(Number(slider.value)));
  slider.addEventListener("blur", hide);
  picture.addEventListener("pointermove", (event) => show(nearest(moments, acrossOf(event, picture))));
  picture.addEventListener("pointerleave", hide);
}

/**
 * @param {string} text
 * @returns {Moment[]}
 */
function momentsOf(text) {
  return text.split("\n").flatMap((line) => {
    const [, x, y, words] = /^(\S+) (\S+) (.+)$/.exec(line) ?? [];
    return words === undefined ? [] : [{ x: Number(x), y: Number(y), words }];
  });
}

/**
 * Where somebody points, in the units of the picture.
 * @param {PointerEvent} event
 * @param {SVGSVGElement} picture
 */
function acrossOf(event, picture) {
  const { left, width } = picture.getBoundingClientRect();
  const { x, width: shown } = picture.viewBox.baseVal;
  return x + ((event.clientX - left) / width) * shown;
}

/**
 * @param {Moment[]} moments
 * @param {number} x
 */
function nearest(moments, x) {
  const distances = moments.map((moment) => Math.abs(moment.x - x));
  return distances.indexOf(Math.min(...distances));
}

/**
 * @param {string} name
 * @param {Record<string, string>} attributes
 */
function made(name, attributes) {
  const element = document.createElementNS(SVG, name);
  for (const [attribute, value] of Object.entries(attributes)) element.setAttribute(attribute, value);
  return element;
}

/**
 * @param {Element} element
 * @param {Record<string, number>} at
 */
function place(element, at) {
  for (const [attribute, value] of Object.entries(at)) element.setAttribute(attribute, String(value));
  element.setAttribute("visibility", "visible");
}
