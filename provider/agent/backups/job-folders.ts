import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { HomeLayout } from "../../platforms/local/home";

const EXTRACTED = ".data";

/** Of the jobs that this process has started, and whose folders are not discarded yet: they are no leftovers. */
const inUse = new Set<string>();

/** Where a job's output and its note lie. */
export function jobFolder(layout: HomeLayout, id: string): string {
  return join(layout.jobs, id);
}

/** Makes a job's folder, which is this process's to discard. */
export async function makeJobFolder(layout: HomeLayout, id: string): Promise<string> {
  return makeFolder(layout, id, jobFolder(layout, id));
}

/** The same of the one below which a restore job puts what it fetches: beside its own, which goes with its end. */
export async function makeExtractedFolder(layout: HomeLayout, id: string): Promise<string> {
  return makeFolder(layout, id, extractedFolder(layout, id));
}

async function makeFolder(layout: HomeLayout, id: string, folder: string): Promise<string> {
  // Before it is there: whoever looks for leftovers must not find it first.
  inUse.add(jobFolder(layout, id));
  await mkdir(folder, { recursive: true, mode: 0o700 });
  return folder;
}

/** Removes all that a job has, or may have, on this disk. */
export async function discardJobFolders(layout: HomeLayout, id: string): Promise<void> {
  for (const folder of [extractedFolder(layout, id), jobFolder(layout, id)])
    await rm(folder, { recursive: true, force: true });
  inUse.delete(jobFolder(layout, id));
}

/** Whether an entry of the folder of jobs is of one that this process has started. */
export function isInUse(layout: HomeLayout, entry: string): boolean {
  const id = entry.endsWith(EXTRACTED) ? entry.slice(0, -EXTRACTED.length) : entry;
  return inUse.has(jobFolder(layout, id));
}

function extractedFolder(layout: HomeLayout, id: string): string {
  return `${jobFolder(layout, id)}${EXTRACTED}`;
}
