import type { Failure } from "../../../core/errors";
import type { AddonStatus } from "../../../core/status";
import { html, type Html } from "../../html";
import { backupBadge, badge, healthBadge } from "../parts/badge";
import { roleText } from "../parts/role";
import { asSentence } from "../parts/sentence";
import { ago } from "../parts/time";
import { connectionUsage, memoryUsage } from "../parts/usage";

export interface Listed {
  /** In the order of the rows. */
  readonly addons: readonly AddonStatus[];
  readonly unreadable: readonly Failure[];
  /** Names of those that nothing is known of yet. */
  readonly pending: readonly string[];
  /** Said elsewhere of all of them. */
  readonly shared: readonly string[];
  /** Milliseconds since the Unix epoch. */
  readonly now: number;
}

/** A row for each add-on; a page of hundreds of them is a few hundred kilobytes at most. */
export function addonTable({ addons, unreadable, pending, shared, now }: Listed): Html {
  return html`<table class="cards addons">
    <caption class="unseen">
      Add-ons, problems first
    </caption>
    <thead>
      <tr>
        ${["Name", "Health", "Role", "Plan", "Memory", "Connections", "Newest verified backup"].map(
          (title) => html`<th scope="col">${title}</th>`,
        )}
      </tr>
    </thead>
    ${unreadable.map(unreadableRows)} ${addons.map((status) => rows(status, shared, now))}
    ${pending.map(pendingRows)}
  </table>`;
}

/** A body of its own, so that what is the matter stands below in the table's whole width. */
function rows(status: AddonStatus, shared: readonly string[], now: number): Html {
  const { name, health, wish, backups } = status;
  const problems = status.problems.filter((problem) => !shared.includes(problem));
  const plan = typeof wish.plan === "string" ? wish.plan : "custom";
  const verified = backups.newestVerified;
  const backedUp = verified === undefined ? "never" : ago(verified, now);
  return html`<tbody>
    <tr>
      <th scope="rowgroup"><a href="/addons/${name}">${name}</a></th>
      <td data-label="Health">${healthBadge(health)}</td>
      <td data-label="Role">${roleText(status)}</td>
      <td data-label="Plan">${plan}</td>
      <td data-label="Memory">${memoryUsage(status)}</td>
      <td data-label="Connections">${connectionUsage(status)}</td>
      <td data-label="Verified backup">
        ${backedUp} ${backups.health.state === "fresh" ? "" : backupBadge(backups.health)}
      </td>
    </tr>
    ${problems.length === 0 ? "" : whyRow(problems)}
  </tbody>`;
}

function whyRow(problems: readonly string[]): Html {
  return html`<tr class="why">
    <td colspan="7">${problems.map((problem) => html`<p>${asSentence(problem)}</p>`)}</td>
  </tr>`;
}

/** What can't be read may still run, and has data: it is shown, with what helps. */
function unreadableRows({ subject, message }: Failure): Html {
  return html`<tbody>
    <tr>
      <th scope="rowgroup">${subject}</th>
      <td data-label="Health">${badge("bad", "unreadable")}</td>
      <td colspan="5"></td>
    </tr>
    ${whyRow([message])}
  </tbody>`;
}

function pendingRows(name: string): Html {
  return html`<tbody>
    <tr>
      <th scope="rowgroup"><a href="/addons/${name}">${name}</a></th>
      <td data-label="Health">${badge("busy", "has not answered yet")}</td>
      <td colspan="5"></td>
    </tr>
  </tbody>`;
}
