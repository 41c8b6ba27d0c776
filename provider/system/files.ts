import { createHash, randomBytes } from "node:crypto";
import { lstat, mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, relative, resolve } from "node:path";

/** Makes what was renamed, linked or removed in a folder survive a power failure. */
export async function syncFolder(folder: string): Promise<void> {
  await syncPath(folder);
}

/** Makes a file's content, or a folder's entries, survive a power failure. */
export async function syncPath(path: string): Promise<void> {
  const handle = await open(path, "r");
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Makes a folder with everything in it survive a power failure. */
export async function syncTree(folder: string): Promise<void> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile() || entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name));
  for (const some of inBatches([...paths, folder])) await Promise.all(some.map(syncPath));
}

/** A digest of the names and contents of a folder's files, those of its folders included. */
export async function digestOfTree(folder: string, counts: (file: string) => boolean): Promise<string> {
  const hash = createHash("sha256");
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => relative(folder, join(entry.parentPath, entry.name)));
  for (const some of inBatches(files.filter(counts).sort())) {
    const contents = await Promise.all(some.map((file) => readFile(join(folder, file))));
    for (const [i, content] of contents.entries()) hash.update(`${some[i]}\0`).update(content);
  }
  return hash.digest("hex");
}

/** Hundreds of small files take a fraction of the time side by side; thousands open at once might be too many. */
function inBatches<Item>(items: readonly Item[], size = 64): Item[][] {
  return Array.from({ length: Math.ceil(items.length / size) }, (_, i) =>
    items.slice(i * size, (i + 1) * size),
  );
}

/** Creates a folder for this user alone, with its parents, so that it survives a power failure. */
export async function makeFolderDurably(folder: string): Promise<void> {
  const path = resolve(folder);
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (error) {
    if (await isFolder(path)) return;
    const isMissing = error instanceof Error && "code" in error && error.code === "ENOENT";
    if (!isMissing || dirname(path) === path) throw error;
    // Not by `recursive`: in a folder that takes no new ones (an automounter's) Node would try for ever.
    await makeFolderDurably(dirname(path));
    await mkdir(path, { mode: 0o700 }).catch(async (again: unknown) => {
      if (!(await isFolder(path))) throw again;
    });
  }
  await syncFolder(dirname(path));
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

/** Whether anything has that name, be it a link that leads nowhere. */
export async function isTaken(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  );
}

/** A name beside `path`, unlike any other writer's, that listings of these folders pass over. */
export function temporaryBeside(path: string): string {
  return join(dirname(path), `.${basename(path)}.${process.pid}-${randomBytes(6).toString("hex")}.tmp`);
}

/**
 * Replaces a file so that a reader, also one after a crash or a power failure, sees the old content or the new one.
 * Its folder must exist. The mode holds whatever the umask says.
 */
export async function writeDurably(path: string, data: string | Uint8Array, mode: number): Promise<void> {
  const temporary = temporaryBeside(path);
  try {
    const handle = await open(temporary, "wx", mode);
    try {
      await handle.chmod(mode);
      await handle.writeFile(data);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
  await syncFolder(dirname(path));
}
