import { Failure } from "../core/errors";
import { previewRestore, type RestorePreview } from "../operations/preview-restore";
import { prepareRestore, restorePrepared, type RestoreWish } from "../operations/restore";
import { restoredWords } from "../operations/restore/restore-words";
import { restoreConsequences } from "../operations/words/restore-consequences";
import { confirm } from "./confirm";
import { type CommandContext, requireAddon } from "./context";
import { printJson, printLine } from "./print";
import { warn } from "./terminal";

/** A store may be far away, and a person waits for the answer once. */
const LOOK_MS = 60_000;

/** Restores into an add-on; what would be replaced is told, and agreed to, before anything is fetched. */
export async function restoreInto(
  context: CommandContext,
  wish: RestoreWish,
  name: string,
  { yes, json }: { readonly yes?: boolean; readonly json?: boolean },
): Promise<void> {
  const { platform, task } = context;
  const addon = await requireAddon(context, name);
  const server = addon.wish;
  // First: its failures have codes, by which scripts tell why.
  const prepared = await prepareRestore(platform, { name, wish, server }, task);
  const preview = await previewRestore(platform, { name, server, restore: wish }, LOOK_MS);
  const [refusal] = preview.refusals;
  if (refusal !== undefined) throw refused(name, refusal);
  if (preview.warnings.length > 0 && wish.replaceData) {
    const consequences = restoreConsequences(preview, addon.backups);
    await confirm({ yes, operation: "restore into", subject: name, consequences });
  }
  const restored = await restorePrepared(platform, { name, claim: { kind: "person" }, prepared }, task);
  for (const warning of restored.warnings) warn(warning);
  const { tookMs, downtimeMs, safetyBackup, record } = restored;
  if (json === true)
    return printJson({ addon: name, restored: record.restored, tookMs, downtimeMs, safetyBackup });
  printLine(`${name}: ${restoredWords(restored)}.`);
}

function refused(name: string, { property, code, cause, hint }: RestorePreview["refusals"][number]): Failure {
  const byOption = "To have them replaced, add --replace-data: a verified backup of them is taken first";
  return new Failure({
    ...{ code, operation: "restore into", subject: name, cause },
    hint: property === "replaceData" ? byOption : hint,
  });
}
