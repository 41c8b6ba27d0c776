import { html, type Html } from "../html";
import { type Frame, linePath, type Point } from "./points";
import { across, down, readoutOf } from "./readout";
import { niceSteps, timeSteps, type Counting } from "./steps";

export interface Plotted {
  readonly title: string;
  readonly id: string;
  /** Oldest first. */
  readonly points: readonly Point[];
  /** Milliseconds since the Unix epoch. */
  readonly from: number;
  readonly to: number;
  readonly counting: Counting;
  /** A value with its unit. */
  readonly words: (value: number) => string;
  /** What it can't or shouldn't pass: a line of its own, where values come near it. */
  readonly limit?: { readonly value: number; readonly words: string };
  /** The axis goes as far at least; absent: as far as the values. */
  readonly atLeast?: number;
  /** Lines through single moments say too much where there is one a day. */
  readonly drawn?: "line" | "bars";
}

/** Few enough that words in it can be read on a phone, where it is drawn smaller. */
const WIDTH = 420;
const HEIGHT = 120;
/** For the words beside and below. */
const LEFT = 84;
const RIGHT = 24;
const BELOW = 24;
const ABOVE = 12;
/** A line far above all values would press these flat: below this share of a limit, words say it alone. */
const NEAR_LIMIT = 0.25;
/** Of the table that says the same: readers of it need no more. */
const ROWS = 12;

/** A plot that is drawn by the server, so that it is there without scripts; what it shows stands in words with it. */
export function plot(plotted: Plotted): Html {
  const known = plotted.points.filter((point) => point.value !== undefined);
  return html`<figure class="plot">
    <figcaption>
      <h2>${plotted.title}</h2>
      <p>${known.length === 0 ? nothing(plotted) : summary(plotted)}</p>
    </figcaption>
    ${known.length === 0 ? "" : html`${picture(plotted)} ${figures(plotted)}`}
  </figure>`;
}

function nothing({ drawn = "line" }: Plotted): string {
  return drawn === "line" ? "nothing was measured in this time" : "there are none of this time";
}

function picture(plotted: Plotted): Html {
  const { points, from, to, counting, words, title, atLeast = 0, drawn = "line" } = plotted;
  const largest = Math.max(...points.map(({ value }) => value ?? 0));
  const limit = largest >= (plotted.limit?.value ?? Infinity) * NEAR_LIMIT ? plotted.limit : undefined;
  const steps = niceSteps(Math.max(largest, limit?.value ?? 0, atLeast), counting);
  const frame = { from, to, most: steps.at(-1) ?? 1, width: WIDTH, height: HEIGHT };
  const readout = readoutOf({
    ...{ points, frame },
    words: (at, value) => `${timeText(at, to - from, true)}: ${words(value)}`,
  });
  return html`<svg
    data-readout="${readout}"
    data-height="${HEIGHT}"
    viewBox="${-LEFT} ${-ABOVE} ${LEFT + WIDTH + RIGHT} ${ABOVE + HEIGHT + BELOW}"
    role="img"
    aria-label="${title}: ${summary(plotted)}"
  >
    ${steps.map(
      (step) =>
        html`<line class="grid" x1="0" x2="${WIDTH}" y1="${down(step, frame)}" y2="${down(step, frame)}" />
          <text class="step" x="-8" y="${down(step, frame)}" dy="4" text-anchor="end">${words(step)}</text>`,
    )}
    ${timeSteps(from, to).map(
      (at) =>
        html`<text class="step" x="${across(at, frame)}" y="${HEIGHT + 18}" text-anchor="middle">
          ${timeText(at, to - from)}
        </text>`,
    )}
    ${
      limit === undefined
        ? ""
        : html`<line
            class="limit"
            x1="0"
            x2="${WIDTH}"
            y1="${down(limit.value, frame)}"
            y2="${down(limit.value, frame)}"
          />`
    }
    ${
      drawn === "line"
        ? html`<path class="values" d="${linePath(points, frame)}" />${now(plotted, frame)}`
        : points.map(({ at, value }) =>
            value === undefined
              ? ""
              : html`<line
                  class="bar"
                  x1="${across(at, frame)}"
                  x2="${across(at, frame)}"
                  y1="${HEIGHT}"
                  y2="${down(value, frame)}"
                >
                  <title>${timeText(at, to - from, true)}: ${words(value)}</title>
                </line>`,
          )
    }
  </svg>`;
}

/** The newest value, which alone would be too small to see. */
function now({ points }: Plotted, frame: Frame): Html | "" {
  const last = points.at(-1);
  if (last?.value === undefined) return "";
  return html`<circle class="now" cx="${across(last.at, frame)}" cy="${down(last.value, frame)}" r="3.5" />`;
}

/** `now 12 MiB, between 3 MiB and 14 MiB; the plan's limit is 128 MiB`. */
function summary({ points, words, limit, drawn = "line" }: Plotted): string {
  const values = points.map(({ value }) => value).filter((value) => value !== undefined);
  const last = points.at(-1)?.value;
  const newest = drawn === "bars" ? [] : [last === undefined ? "now unknown" : `now ${words(last)}`];
  const [least, most] = [words(Math.min(...values)), words(Math.max(...values))];
  const same = last === undefined ? [`always ${least}`] : values.length === 1 ? [] : ["unchanged"];
  const changes = least === most ? same : [`between ${least} and ${most}`];
  const only = newest.length === 0 && least === most ? [least] : newest;
  const said = [...only, ...changes].join(", ");
  return limit === undefined ? said : `${said}; ${limit.words}`;
}

/** The same in figures: a picture alone is nothing to who can't see it. */
function figures({ title, points, words, from, to }: Plotted): Html {
  const every = Math.max(1, Math.ceil(points.length / ROWS));
  const shown = points.filter((_, i) => (points.length - 1 - i) % every === 0).toReversed();
  return html`<details>
    <summary>In figures<span class="unseen">: ${title}</span></summary>
    <table>
      <caption class="unseen">
        ${title}
      </caption>
      <thead>
        <tr>
          <th scope="col">Time (UTC)</th>
          <th scope="col">Value</th>
        </tr>
      </thead>
      <tbody>
        ${shown.map(
          ({ at, value }) =>
            html`<tr>
              <td><time datetime="${new Date(at).toISOString()}">${timeText(at, to - from, true)}</time></td>
              <td>${value === undefined ? "not known" : words(value)}</td>
            </tr>`,
        )}
      </tbody>
    </table>
  </details>`;
}

const DAY_MS = 86_400_000;

function timeText(at: number, spanMs: number, isWhole = false): string {
  const iso = new Date(at).toISOString();
  const [day, time] = [iso.slice(5, 10), iso.slice(11, isWhole ? 19 : 16)];
  if (spanMs > 3 * DAY_MS) return isWhole ? `${iso.slice(0, 10)} ${time}` : day;
  return spanMs > DAY_MS && isWhole ? `${day} ${time}` : time;
}
