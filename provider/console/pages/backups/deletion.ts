import { Failure } from "../../../core/errors";
import { deleteBackup, lookAtDeletion } from "../../../operations/backup-catalog";
import { placeOf } from "../../../operations/backup-place";
import { whatGoes } from "../../../operations/words/deletion-words";
import { log } from "../../../system/log";
import { html, type Html } from "../../html";
import { taskOf } from "../../request-task";
import { addonSubpage } from "../parts/addon-subpage";
import { pathOf } from "./actions";
import { formFields } from "./form";
import { patiently } from "./patiently";
import { refusalPage } from "./refusal-page";
import type { BackupRequest } from "./request";

/** Says what a deletion would take away for ever; nothing is touched. */
export async function confirmDeletion({ c, context, name, slot }: BackupRequest): Promise<Response> {
  const place = await placeOf({ kind: "addon", platform: context.platform, name });
  const about = { operation: "look at", subject: `backup ${slot} of ${name}` };
  const found = await patiently(taskOf(c, context), about, (task) => lookAtDeletion(place, slot, task));
  const evenDamaged = found.manifestDamage !== undefined;
  const body = html`<section class="card" aria-labelledby="deletion-title">
    <h2 id="deletion-title">Delete backup ${slot}?</h2>
    <p>This would remove ${whatGoes(found)}, for ever.</p>
    ${deletionForm(name, slot, evenDamaged ? ["evenDamaged"] : [], "Delete it for ever")}
    <p><a href="${pathOf(name, slot)}">Keep it</a></p>
  </section>`;
  return addonSubpage(c, context, { name, tab: "backups", title: `Delete ${slot}`, body });
}

/** Takes away what was told: one whose manifest was damaged since is refused, as are pinned ones and the newest verified. */
export async function deleteConfirmed(request: BackupRequest): Promise<Response> {
  const { c, context, name, slot } = request;
  const fields = await formFields(request);
  const overcome = {
    evenDamaged: fields("evenDamaged") === "yes",
    evenNewestVerified: fields("evenNewestVerified") === "yes",
  };
  const place = await placeOf({ kind: "addon", platform: context.platform, name });
  const about = { operation: "delete", subject: `backup ${slot} of ${name}` };
  try {
    await patiently(taskOf(c, context), about, (task) => deleteBackup(place, slot, overcome, task));
  } catch (error) {
    const isNewest = error instanceof Failure && error.code === "newest-verified";
    const told = overcome.evenDamaged
      ? (["evenDamaged", "evenNewestVerified"] as const)
      : (["evenNewestVerified"] as const);
    const more = isNewest ? deletionForm(name, slot, told, "Delete even this one for ever") : "";
    return refusalPage(c, context, name, error, more);
  }
  log(`${name}: backup ${slot} was deleted in the console`);
  return c.redirect(`/addons/${name}/backups`, 303);
}

/** `even`: what its reader was told of, and wants all the same. */
function deletionForm(
  name: string,
  slot: string,
  even: readonly ("evenDamaged" | "evenNewestVerified")[],
  words: string,
): Html {
  return html`<form method="post" action="${pathOf(name, slot)}/delete">
    ${even.map((field) => html`<input type="hidden" name="${field}" value="yes" />`)}
    <p><button class="danger">${words}</button></p>
  </form>`;
}
