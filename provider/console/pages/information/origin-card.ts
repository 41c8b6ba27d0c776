import type { AddonStatus } from "../../../core/status";
import { html, type Html } from "../../html";
import { facts } from "../parts/facts";
import { momentAndAge } from "../parts/time";

/** Who made the add-on, when, and where it lives. */
export function originCard({ owner, createdAt, home }: AddonStatus, now: number): Html {
  return html`<section class="card" id="origin" data-live aria-labelledby="origin-title">
    <h2 id="origin-title">Origin</h2>
    ${facts([
      ["Pulumi project", owner.project],
      ["Stack", owner.stack],
      ["Made", momentAndAge(createdAt, now)],
      ["Machine", home.host],
      ["Data home", html`<code>${home.path}</code>`],
    ])}
  </section>`;
}
