import { randomUUID } from "node:crypto";
import { readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import type { AddonLayout, HomeLayout } from "../../platforms/local/home";
import { syncFolder } from "../../system/files";
import { log } from "../log";
import type { RestoreFolders } from "./next-step";

export async function restoreFolders(files: AddonLayout): Promise<RestoreFolders> {
  return {
    data: await filling(files.data),
    staged: await exists(files.staged),
    replaced: await exists(files.replaced),
  };
}

async function filling(folder: string): Promise<RestoreFolders["data"]> {
  try {
    return (await readdir(folder)).length === 0 ? "empty" : "filled";
  } catch (error) {
    // Anything but its absence, such as a disk that can't be read, must not be taken for it.
    if (!isMissing(error)) throw error;
    return "absent";
  }
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: unknown) => {
      if (!isMissing(error)) throw error;
      return false;
    },
  );
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

/** Whether there is any file in a folder or below it; not where the folder is missing. */
export async function holdsFiles(folder: string): Promise<boolean> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch((error: unknown) => {
    if (!isMissing(error)) throw error;
    return [];
  });
  return entries.some((entry) => !entry.isDirectory());
}

/** Renames a folder so that it survives a power failure. What it becomes must be absent, or an empty folder. */
export async function moveFolder(from: string, to: string): Promise<void> {
  await rename(from, to);
  await syncFolder(dirname(to));
  if (dirname(from) !== dirname(to)) await syncFolder(dirname(from));
}

/** Gone by one rename; what is slow comes after it, and is not waited for: the next agent's start does it again. */
export async function discardFolder(layout: HomeLayout, name: string, folder: string): Promise<void> {
  const discarded = join(layout.trash, `${name}-${basename(folder)}-${randomUUID()}`);
  await moveFolder(folder, discarded);
  rm(discarded, { recursive: true, force: true }).catch((error: unknown) => {
    log(`${name}: what is left of ${folder} stays in ${discarded}: ${String(error)}`);
  });
}
