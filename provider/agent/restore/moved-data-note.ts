import { readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import type { AddonLayout } from "../../platforms/local/home";
import { syncFolder, writeDurably } from "../../system/files";
import { DataNoteSchema, readDataNote, writeDataNote } from "../server/data-files";

/*
 * Where data lie is noted beside their folder. What is noted of data that are put aside is no word about those that come
 * in their place, so it goes with them.
 */

/** Has a copy of the note in the data folder, or none where there is no note. May be repeated. */
export async function packDataNote(files: AddonLayout): Promise<void> {
  const note = await readDataNote(files);
  if (note !== undefined) await writeDurably(copyIn(files), JSON.stringify(note), 0o600);
  else await rm(copyIn(files), { force: true });
}

/** Makes the copy in the data folder the note again. May be repeated. */
export async function unpackDataNote(files: AddonLayout): Promise<void> {
  const text = await readFile(copyIn(files), "utf8").catch((error: NodeJS.ErrnoException) => {
    if (error.code !== "ENOENT") throw error;
    return undefined;
  });
  if (text === undefined) return;
  await writeDataNote(files, DataNoteSchema.parse(JSON.parse(text)));
  await rm(copyIn(files), { force: true });
  await syncFolder(files.data);
}

function copyIn(files: AddonLayout): string {
  return join(files.data, "data-note.json");
}
