import { type BackupDetails, showBackup } from "../../../operations/backup-catalog";
import { type BackupPlace, placeOf } from "../../../operations/backup-place";
import { backupFields } from "../../../operations/words/backup-fields";
import type { ConsoleContext } from "../../context";
import { html, type Html } from "../../html";
import { taskOf } from "../../request-task";
import { addonSubpage } from "../parts/addon-subpage";
import { facts } from "../parts/facts";
import { notice } from "../parts/problems";
import { ago } from "../parts/time";
import { pathOf } from "./actions";
import { keyField, wantsKey } from "./key-field";
import { openingCard } from "./opening";
import { patiently } from "./patiently";
import type { BackupRequest } from "./request";
import { verifiedBadge } from "./table";

/** All that is known of one backup, and what can be done with it. */
export async function backupDetails({ c, context, name, slot }: BackupRequest): Promise<Response> {
  const place = await placeOf({ kind: "addon", platform: context.platform, name });
  const about = { operation: "show", subject: `backup ${slot} of ${name}` };
  const details = await patiently(taskOf(c, context), about, (task) => showBackup(place, slot, task));
  const body = html`${title(details, context)}
    <div class="columns">
      <div>${knownCard(details)}</div>
      <div>${dataCard(name, details)} ${careCard(name, details, place)}</div>
    </div>
    ${openingCard(name, details, await context.platform.home())}
    <p><a href="/addons/${name}/backups">All backups of ${name}</a></p>`;
  return addonSubpage(c, context, { name, tab: "backups", title: `Backup ${slot}`, body });
}

function title({ entry }: BackupDetails, { clock }: ConsoleContext): Html {
  const problems = [
    ...(entry.archiveExists ? [] : ["its archive is gone, and with it the data"]),
    ...(entry.verification === "damaged" ? ["it is damaged: use another backup"] : []),
  ];
  return html`<div class="title">
      <h2>Backup ${entry.slot}</h2>
      ${verifiedBadge(entry)} <span class="muted">${ago(entry.takenAt, clock.now())}</span>
    </div>
    ${problems.length === 0 ? "" : notice("bad", "Not to be relied on", problems)}`;
}

function knownCard(details: BackupDetails): Html {
  return html`<section class="card" aria-labelledby="known-title">
    <h2 id="known-title">What is known of it</h2>
    ${facts(backupFields(details))}
  </section>`;
}

function dataCard(name: string, { entry }: BackupDetails): Html {
  const path = pathOf(name, entry.slot);
  if (!entry.archiveExists) return html``;
  return html`<section class="card" aria-labelledby="data-title">
    <h2 id="data-title">Its data</h2>
    <p class="actions">
      <a class="button primary" href="${path}/restore-new">Restore into a new add-on</a>
      <a class="button" href="${path}/restore-in-place">Restore in place</a>
      <a class="button" href="${path}/archive" download>Download</a>
    </p>
    <p class="muted">
      A download is compared with the manifest's SHA-256 while it runs: one that arrives whole is what was
      written, and any other fails.
      ${entry.encrypted ? "It stays encrypted." : "It is not encrypted: whoever has it has the data."}
    </p>
  </section>`;
}

function careCard(name: string, { entry, manifest, pin }: BackupDetails, place: BackupPlace): Html {
  const path = pathOf(name, entry.slot);
  return html`<section class="card" aria-labelledby="care-title">
    <h2 id="care-title">Its care</h2>
    ${
      entry.archiveExists
        ? html`<form method="post" action="${path}/verify">
            ${wantsKey(manifest, place) ? keyField(manifest, "verify-key") : ""}
            <p><button>Verify</button></p>
            <p class="muted">
              A server of this machine loads a copy of it both ways and counts what is in it; nothing else is
              touched.
              ${
                wantsKey(manifest, place)
                  ? "Without a key only its encrypted bytes are compared with the manifest."
                  : ""
              }
            </p>
          </form>`
        : ""
    }
    ${
      entry.pinned
        ? html`<form method="post" action="${path}/unpin">
            <p>It is pinned${pin?.note === undefined ? "." : `: ${pin.note}`}</p>
            <p><button>Unpin</button></p>
            <p class="muted">The next backup's retention decides about it then.</p>
          </form>`
        : html`<form method="post" action="${path}/pin" class="inline">
              <div>
                <label for="note">Pin it: why (you may leave it out)</label>
                <input id="note" name="note" maxlength="500" autocomplete="off" />
              </div>
              <button>Pin</button>
            </form>
            <p class="muted">A pinned backup stays until it is unpinned, whatever the policy says.</p>`
    }
    <p><a class="button danger" href="${path}/delete">Delete…</a></p>
  </section>`;
}
