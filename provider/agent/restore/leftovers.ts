import { randomUUID } from "node:crypto";
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { formatSlot } from "../../core/slot";
import type { AddonRecord } from "../../core/facets";
import type { AddonLayout, HomeLayout } from "../../platforms/local/home";
import { log } from "../log";
import { discardFolder, exists, holdsFiles, moveFolder } from "./folders";
import { releaseHeld } from "./held-backup";
import { readRestoreNote, removeRestoreNote } from "./restore-note";

/** Add-ons whose data are being staged: nothing is recorded of that yet, and it isn't left over. */
const staging = new Set<string>();

export function beginStaging(files: AddonLayout): Disposable {
  staging.add(files.root);
  return {
    [Symbol.dispose]: () => {
      staging.delete(files.root);
    },
  };
}

/**
 * Removes what a restore has left that is over, or was cut off before it was recorded. Replaced data that nobody knows
 * are kept under another name. What can't be removed costs disk space alone.
 */
export async function clearLeftovers(layout: HomeLayout, record: AddonRecord): Promise<void> {
  const files = layout.addon(record.name);
  if (record.restoring !== undefined || staging.has(files.root)) return;
  // Its store may not answer, and the server must not wait for that.
  void releaseHeld(layout, record.name);
  try {
    if (await exists(files.staged)) await discardFolder(layout, record.name, files.staged);
    const note = await readRestoreNote(files);
    if (await exists(files.replaced)) {
      const isKept = note?.isReplacedKnown !== true && (await holdsFiles(files.replaced));
      if (isKept) await keep(layout, record.name, note?.since);
      else await discardFolder(layout, record.name, files.replaced);
    }
    if (note !== undefined && note.undoing === undefined) await removeRestoreNote(files);
  } catch (error) {
    log(`${record.name}: what a restore left can't be removed: ${String(error)}`);
  }
}

async function keep(layout: HomeLayout, name: string, since: string | undefined): Promise<void> {
  const kept = keptFolder(layout, name, since);
  await mkdir(layout.kept, { recursive: true, mode: 0o700 });
  await moveFolder(layout.addon(name).replaced, kept);
  log(`${name}: the files that the restore replaced could not be backed up, and are kept in ${kept}`);
}

/** Where replaced data are kept that nobody knows, by the restore's `since` where that is known: not in the add-on's folder, which goes when it is deleted. */
export function keptFolder(layout: HomeLayout, name: string, since: string | undefined): string {
  const at = since === undefined ? randomUUID() : formatSlot(Date.parse(since));
  return join(layout.kept, `${name}-${at}`);
}
