import { html, type Html } from "../../html";

export interface Metered {
  /** What is measured, for who doesn't see the bar: `Memory of cache`. */
  readonly label: string;
  readonly used: number;
  readonly limit: number;
  /** The same in words; the bar adds nothing to them. */
  readonly words: Html | string;
  /** Whether more than nine tenths ask for somebody's attention. */
  readonly isTightWhenFull: boolean;
}

/** How much of a limit is used: a bar, and the words beside it. */
export function meter({ label, used, limit, words, isTightWhenFull }: Metered): Html {
  const shown = Math.min(used, limit);
  const bounds = isTightWhenFull ? html`low="${limit * 0.75}" high="${limit * 0.9}" optimum="0"` : "";
  return html`<div class="metered">
    <meter min="0" max="${limit}" value="${shown}" ${bounds} aria-label="${label}"></meter>
    <span>${words}</span>
  </div>`;
}
