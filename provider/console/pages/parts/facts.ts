import { html, type Html } from "../../html";
import { readableMoments } from "./time";

/** What something is called, and what is known of it. */
export type Fact = readonly [label: string, value: Html | string];

/** A list of facts; those that are absent are left out. */
export function facts(entries: readonly (Fact | undefined)[]): Html {
  const rows = entries.filter((entry) => entry !== undefined);
  return html`<dl class="facts">
    ${rows.map(
      ([label, value]) =>
        html`<div>
          <dt>${label}</dt>
          <dd>${typeof value === "string" ? readableMoments(value) : value}</dd>
        </div>`,
    )}
  </dl>`;
}
