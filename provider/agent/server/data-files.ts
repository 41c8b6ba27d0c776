import { readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import type { AddonLayout } from "../../platforms/local/home";
import { syncFolder, writeDurably } from "../../system/files";

/** Where an add-on's data lie when they don't lie in its AOF, which is the rule and isn't noted. */
export const DataNoteSchema = z.discriminatedUnion("lies", [
  /** In the memory of the server that listens there, and nowhere else. */
  z.object({ lies: z.literal("memory"), bind: z.string(), port: z.number().int() }),
  /** Such a server was asked to write them to its dump file and leave; or the next one has just loaded that file. */
  z.object({ lies: z.literal("saved") }),
]);
export type DataNote = z.infer<typeof DataNoteSchema>;

/** Absent: in the AOF, or there are none yet. */
export async function readDataNote(files: AddonLayout): Promise<DataNote | undefined> {
  const text = await readFile(notePath(files), "utf8").catch(() => undefined);
  return text === undefined ? undefined : DataNoteSchema.parse(JSON.parse(text));
}

export async function writeDataNote(files: AddonLayout, note: DataNote): Promise<void> {
  if (JSON.stringify(await readDataNote(files)) !== JSON.stringify(note))
    await writeDurably(notePath(files), JSON.stringify(note), 0o600);
}

export async function removeDataNote(files: AddonLayout): Promise<void> {
  await rm(notePath(files), { force: true });
  await syncFolder(files.root);
}

export type DataFound = "aof" | "snapshot" | "nothing";

/**
 * What a server that starts now must load. An AOF counts before a snapshot: the one that is there was begun after the
 * snapshot was loaded. A dump file counts only where it is noted: a sync leaves one too, which grows old.
 */
export async function findData(files: AddonLayout): Promise<DataFound> {
  // Redis makes the manifest of its AOF before it answers anybody, or once an AOF that was turned on later is whole.
  const aof = await readdir(aofFolder(files)).catch(() => []);
  if (aof.some((file) => file.endsWith(".manifest"))) return "aof";
  const note = await readDataNote(files);
  return note?.lies === "saved" && (await exists(dumpFile(files))) ? "snapshot" : "nothing";
}

export async function removeDump(files: AddonLayout): Promise<void> {
  if (!(await exists(dumpFile(files)))) return;
  await rm(dumpFile(files), { force: true });
  await syncFolder(files.data);
}

/** By one rename: half an AOF would keep a server from starting. */
export async function removeAof(files: AddonLayout): Promise<void> {
  const discarded = join(files.data, "appendonlydir.discarded");
  await rm(discarded, { recursive: true, force: true });
  if (!(await exists(aofFolder(files)))) return;
  await rename(aofFolder(files), discarded);
  await syncFolder(files.data);
  await rm(discarded, { recursive: true, force: true });
}

function notePath(files: AddonLayout): string {
  return join(files.root, "data.json");
}

export function aofFolder(files: AddonLayout): string {
  return join(files.data, "appendonlydir");
}

export function dumpFile(files: AddonLayout): string {
  return join(files.data, "dump.rdb");
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
