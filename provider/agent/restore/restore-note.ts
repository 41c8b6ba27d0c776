import { readFile, rm } from "node:fs/promises";
import { z } from "zod";
import { RestoreOriginSchema } from "../../core/restore";
import type { AddonLayout } from "../../platforms/local/home";
import { syncFolder, writeDurably } from "../../system/files";

/** What the agent has to know of a restore besides what is recorded; the instant `since` says of which one. */
const RestoreNoteSchema = z.object({
  since: z.string(),
  from: RestoreOriginSchema,
  /**
   * Whether somebody knows what is replaced: it was backed up, or it was looked at and held nothing. Otherwise the files
   * are kept.
   */
  isReplacedKnown: z.boolean(),
  /**
   * Why the data from before come back. Written before anything is undone, so that whoever goes on after a crash goes on
   * in this direction; kept until somebody was told.
   */
  undoing: z.string().exactOptional(),
  /** With `undoing`: the slot of the backup of what comes back. */
  safetyBackup: z.string().exactOptional(),
});
type RestoreNote = z.infer<typeof RestoreNoteSchema>;

/** Absent: there is none, or it is damaged. */
export async function readRestoreNote(files: AddonLayout): Promise<RestoreNote | undefined> {
  const text = await readFile(files.restore, "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    return undefined;
  });
  try {
    return text === undefined ? undefined : RestoreNoteSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}

export async function writeRestoreNote(files: AddonLayout, note: RestoreNote): Promise<void> {
  await writeDurably(files.restore, JSON.stringify(note), 0o600);
}

export async function removeRestoreNote(files: AddonLayout): Promise<void> {
  await rm(files.restore, { force: true });
  await syncFolder(files.root);
}
