import { VERIFICATION_WORDS, type Verification } from "../../../core/verification";
import { pinBackup, showBackup, unpinBackup } from "../../../operations/backup-catalog";
import { placeOf } from "../../../operations/backup-place";
import { verifyBackup } from "../../../operations/backup-verify";
import { backUp } from "../../../operations/backups";
import { notLoaded } from "../../../operations/words/addon-words";
import { takenWarnings, takenWords } from "../../../operations/words/taken-words";
import type { ActivityResult } from "../../activities/activities";
import { activityPath } from "../../activities/section";
import { taskOf } from "../../request-task";
import { badInput, formFields } from "./form";
import { typedKey } from "./key-field";
import { patiently } from "./patiently";
import type { BackupRequest } from "./request";

const LONGEST_NOTE = 500;

/** Starts a backup, or joins the one that was started here and runs. */
export async function backUpNow({ c, context, name }: BackupRequest): Promise<Response> {
  const { platform, activities } = context;
  const activity = activities.start(
    { addon: name, tab: "backups", title: "back up", ifConsoleEnds: "the agent goes on with the backup" },
    async (task) => {
      const taken = await backUp(platform, name, task);
      const links = [{ href: pathOf(name, taken.slot), text: "This backup" }];
      return { words: [takenWords(taken)], warnings: takenWarnings(taken), links };
    },
  );
  return c.redirect(activityPath(activity), 303);
}

/** Starts a look at a backup. One at a time: each wants a server's memory. */
export async function verify(request: BackupRequest): Promise<Response> {
  const { c, context, name, slot } = request;
  const { platform, activities, dataHome } = context;
  const typed = (await formFields(request))("key");
  const about = { operation: "verify", subject: `backup ${slot} of ${name}` };
  const place = await placeOf({ kind: "addon", platform, name });
  const { manifest } = await patiently(taskOf(c, context), about, (task) => showBackup(place, slot, task));
  // Told while its form is there.
  const key = typedKey(manifest, typed);
  const keyFor = (encryption: typeof manifest.encryption) =>
    Promise.resolve(
      encryption !== undefined && encryption.recipients === undefined && place.passphrase !== undefined
        ? { passphrase: place.passphrase }
        : key,
    );
  const activity = activities.start(
    {
      ...{ addon: name, tab: "backups" },
      title: `verify backup ${slot} of`,
      ifConsoleEnds: "the verification ends with it, and notes nothing",
      lane: "verify",
    },
    async (task) => verifiedResult(name, await verifyBackup({ place, slot, dataHome, keyFor }, task)),
  );
  return c.redirect(activityPath(activity), 303);
}

function verifiedResult(name: string, { slot, outcome, counts, why }: Verification): ActivityResult {
  const keys = counts === undefined ? "" : `, ${counts.keys} ${counts.keys === 1 ? "key" : "keys"}`;
  const warnings =
    outcome === "verified" ? [] : [outcome === "damaged" ? (why ?? "it is damaged") : notLoaded({ why })];
  return {
    words: [`backup ${slot}: ${VERIFICATION_WORDS[outcome]}${keys}`],
    warnings,
    links: [{ href: pathOf(name, slot), text: "This backup" }],
  };
}

export async function pin(request: BackupRequest): Promise<Response> {
  const { c, context, name, slot } = request;
  const note = (await formFields(request))("note").trim();
  const about = { operation: "pin", subject: `backup ${slot} of ${name}` };
  if (note.length > LONGEST_NOTE)
    throw badInput(
      "pin",
      about.subject,
      `the note has ${note.length} characters, at most ${LONGEST_NOTE} fit`,
      "",
    );
  const place = await placeOf({ kind: "addon", platform: context.platform, name });
  await patiently(taskOf(c, context), about, (task) =>
    pinBackup(place, slot, note === "" ? undefined : note, task),
  );
  return c.redirect(pathOf(name, slot), 303);
}

export async function unpin({ c, context, name, slot }: BackupRequest): Promise<Response> {
  const place = await placeOf({ kind: "addon", platform: context.platform, name });
  const about = { operation: "unpin", subject: `backup ${slot} of ${name}` };
  await patiently(taskOf(c, context), about, (task) => unpinBackup(place, slot, task));
  return c.redirect(pathOf(name, slot), 303);
}

export function pathOf(name: string, slot: string): string {
  return `/addons/${name}/backups/${slot}`;
}
