import { inspect } from "../../../operations/inspect";
import { noSuchAddon } from "../../../operations/no-such-addon";
import { type BackupDetails, showBackup } from "../../../operations/backup-catalog";
import { type BackupPlace, placeOf } from "../../../operations/backup-place";
import { previewRestore } from "../../../operations/preview-restore";
import { prepareRestore, restorePrepared, type RestoreWish } from "../../../operations/restore";
import { restoredWords } from "../../../operations/restore/restore-words";
import { restoreConsequences } from "../../../operations/words/restore-consequences";
import { log } from "../../../system/log";
import { activityPath } from "../../activities/section";
import { html, type Html } from "../../html";
import { taskOf } from "../../request-task";
import { addonSubpage } from "../parts/addon-subpage";
import { failureNotice } from "../parts/failure";
import { asSentence } from "../parts/sentence";
import { pathOf } from "./actions";
import { badInput, formFields } from "./form";
import { keyField, typedKey, wantsKey } from "./key-field";
import { patiently } from "./patiently";
import type { BackupRequest } from "./request";
import { standIn } from "./stand-in";

/** Says what would be replaced, and asks for the add-on's name. Nothing is touched. */
export async function lookAtRestoreInPlace(request: BackupRequest): Promise<Response> {
  const { c, context, name, slot } = request;
  const { place, details } = await found(request);
  const status = await inspect(context.platform, name, taskOf(c, context));
  if (status === undefined) throw await noSuchAddon(context.platform, name, "");
  const preview = await previewRestore(context.platform, {
    ...{ name, server: status.wish },
    restore: wishOf(name, slot, standIn(details.manifest, place)),
  });
  const { refusals } = preview;
  const body = html`<section class="card" aria-labelledby="place-title">
    <h2 id="place-title">Restore backup ${slot} in place</h2>
    ${refusals.map(({ code, cause, hint }) =>
      failureNotice({ code, operation: "restore into", subject: name, cause, hint, transient: false }),
    )}
    <p>This would happen to ${name}:</p>
    <ul>
      ${restoreConsequences(preview, status.backups).map((sentence) => html`<li>${asSentence(sentence)}</li>`)}
    </ul>
    ${refusals.length > 0 ? "" : confirmation(request, details, place)}
    <p>
      <a href="${pathOf(name, slot)}/restore-new">Restore into a new add-on instead</a> ·
      <a href="${pathOf(name, slot)}">This backup</a>
    </p>
  </section>`;
  return addonSubpage(c, context, { name, tab: "backups", title: `Restore ${slot} in place`, body });
}

function confirmation({ name, slot }: BackupRequest, { manifest }: BackupDetails, place: BackupPlace): Html {
  return html`<form method="post" action="${pathOf(name, slot)}/restore-in-place">
    ${wantsKey(manifest, place) ? keyField(manifest, "restore-key") : ""}
    <p>
      <label for="confirm">To confirm, type the add-on's name: ${name}</label>
      <input
        id="confirm"
        name="confirm"
        required
        autocomplete="off"
        autocapitalize="none"
        spellcheck="false"
      />
    </p>
    <p><button class="danger">Replace the data of ${name}</button></p>
  </form>`;
}

export async function restoreInPlace(request: BackupRequest): Promise<Response> {
  const { c, context, name, slot } = request;
  const { platform, activities } = context;
  const fields = await formFields(request);
  if (fields("confirm").trim() !== name)
    throw badInput(
      `restore backup ${slot} into`,
      name,
      "what was typed to confirm it is not the add-on's name; nothing was changed",
      `Go back, and type ${name}`,
    );
  const { details } = await found(request);
  const wish = wishOf(name, slot, { key: typedKey(details.manifest, fields("key")) });
  log(`${name}: somebody restores backup ${slot} in place in the console`);
  const activity = activities.start(
    {
      ...{ addon: name, tab: "backups" },
      title: `restore backup ${slot} into`,
      ifConsoleEnds:
        "before the data are exchanged nothing was changed; from then on the agent completes the restore, or undoes it",
    },
    async (task) => {
      const status = await inspect(platform, name, task);
      if (status === undefined) throw await noSuchAddon(platform, name, "");
      const prepared = await prepareRestore(platform, { name, wish, server: status.wish }, task);
      const restored = await restorePrepared(platform, { name, claim: { kind: "person" }, prepared }, task);
      const { safetyBackup, warnings } = restored;
      const links = safetyBackup === undefined ? [] : [safetyLink(name, safetyBackup.slot)];
      return { words: [`${name}: ${restoredWords(restored)}`], warnings, links };
    },
  );
  return c.redirect(activityPath(activity), 303);
}

async function found({ c, context, name, slot }: BackupRequest) {
  const place = await placeOf({ kind: "addon", platform: context.platform, name });
  const about = { operation: "restore", subject: `backup ${slot} of ${name}` };
  const details = await patiently(taskOf(c, context), about, (task) => showBackup(place, slot, task));
  return { place, details };
}

function safetyLink(name: string, slot: string) {
  return { href: pathOf(name, slot), text: "The backup of what it held before" };
}

function wishOf(name: string, slot: string, secrets: RestoreWish["secrets"]): RestoreWish {
  return { from: { addon: name, backup: slot }, secrets, replaceData: true };
}
