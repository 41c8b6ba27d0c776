import { randomUUID } from "node:crypto";
import { readdir, readFile, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { z } from "zod";
import { RestoreSourceSchema, type RestoreSource } from "../../core/restore";
import type { Task } from "../../core/task";
import type { AddonLayout, HomeLayout } from "../../platforms/local/home";
import { readRecord } from "../../platforms/local/records";
import { systemClock } from "../../system/clock";
import { writeDurably } from "../../system/files";
import { discardJobFolders } from "../backups/job-folders";
import { runForCall } from "../backups/run-for-call";
import { log } from "../log";

/*
 * The backup that is being restored stays in its store, whatever a retention says, until its data are in place or those
 * from before are: one that is undone is tried again. What holds it there is noted beside the add-on's record, so that
 * the next agent lets go where this one is killed; without the note it counts for nothing after a day.
 */

const NoteSchema = z.object({
  /** With credentials, without what opens an archive. */
  source: RestoreSourceSchema,
  /** The key of what holds it. */
  hold: z.string(),
});
type Note = z.infer<typeof NoteSchema>;

const NAME = /^held-[0-9a-f-]+\.json$/;
/** A store that doesn't answer by then is asked again when the server is placed the next time. */
const RELEASE_MS = 20_000;
/** As long as what holds a backup counts for anything. */
const HELD_MS = 24 * 60 * 60_000;

/** Of restores that are under way, and those that are being let go of at this moment. */
const inUse = new Set<string>();

/** Notes that a backup is held, for a restore that goes on until this is disposed of. */
export async function noteHold(files: AddonLayout, source: RestoreSource, hold: string): Promise<Disposable> {
  const { key: _, ...place } = source;
  const path = join(files.root, `held-${randomUUID()}.json`);
  inUse.add(path);
  const end = (): void => void inUse.delete(path);
  try {
    await writeDurably(path, JSON.stringify({ source: place, hold } satisfies Note), 0o600);
  } catch (error) {
    end();
    throw error;
  }
  return { [Symbol.dispose]: end };
}

/** Lets go of what an add-on's restores have held, once none is under way. What can't be let go of now is tried again. */
export async function releaseHeld(layout: HomeLayout, name: string): Promise<void> {
  const { root } = layout.addon(name);
  const notes = (await readdir(root).catch(() => [])).filter((file) => NAME.test(file));
  for (const file of notes) {
    const path = join(root, file);
    if (inUse.has(path)) continue;
    inUse.add(path);
    try {
      if ((await readRecord(layout, name))?.restoring === undefined) await release(layout, name, path);
    } catch (error) {
      log(`${name}: the backup that was restored is held for a day at most: ${String(error)}`);
    } finally {
      inUse.delete(path);
    }
  }
}

async function release(layout: HomeLayout, name: string, path: string): Promise<void> {
  const { source, hold } = (await readNote(path)) ?? {};
  if (source?.kind === "backup" && hold !== undefined) {
    const { destination, credentials } = source;
    const id = `${name}-release-${randomUUID().slice(0, 8)}`;
    const place = { destination, ...(credentials === undefined ? {} : { credentials }) };
    const signal = AbortSignal.timeout(RELEASE_MS);
    const task: Task = { signal, clock: systemClock, progress: () => undefined };
    try {
      await runForCall(layout, { kind: "release", id, addon: { name }, ...place, hold }, task);
    } finally {
      await discardJobFolders(layout, id);
    }
  }
  await rm(path, { force: true });
}

/** Absent: it is damaged, or of a hold that counts for nothing any more. */
async function readNote(path: string): Promise<Note | undefined> {
  if (systemClock.now() - (await stat(path)).mtimeMs > HELD_MS) return undefined;
  const text = await readFile(path, "utf8");
  try {
    return NoteSchema.parse(JSON.parse(text));
  } catch {
    return undefined;
  }
}
