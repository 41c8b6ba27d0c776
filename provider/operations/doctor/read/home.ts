import { lstat, readdir, stat, statfs } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { HomeLayout } from "../../../platforms/local/home";
import type { SeenPath } from "../judge/home";

/** Folders of a data home with nothing secret in them, behind its own mode; and the socket, which is a socket. */
const PASSED_OVER = new Set(["programs", "servers", "backups", "trash", "kept"]);

/** The data home itself, and what lies in it and its add-ons' folders; not their data, which nobody reaches but through them. */
export async function permissionsIn({ root, addons }: HomeLayout): Promise<SeenPath[]> {
  const top = (await entriesOf(root)).filter((entry) => !PASSED_OVER.has(entry));
  const folders = (await entriesOf(addons)).map((name) => join(addons, name));
  const inside = await Promise.all(
    folders.map(async (folder) => (await entriesOf(folder)).map((entry) => join(folder, entry))),
  );
  const paths = [root, ...top.map((entry) => join(root, entry)), ...folders, ...inside.flat()];
  const seen = await Promise.all(
    paths.map(async (path) => {
      const found = await lstat(path).catch(() => undefined);
      // A link's own mode means nothing.
      if (found === undefined || found.isSymbolicLink()) return [];
      return [{ path, mode: found.mode & 0o777, owner: found.uid }];
    }),
  );
  return seen.flat();
}

/** Since when each entry of the folder of jobs was not touched. */
export async function jobAgesMs({ jobs }: HomeLayout, now: number): Promise<number[]> {
  const times = await Promise.all((await entriesOf(jobs)).map((entry) => modifiedAt(join(jobs, entry))));
  return times.flatMap((at) => (at === undefined ? [] : [Math.max(0, now - at)]));
}

/** How far in the future the newest of these was written; 0: none was. */
export async function futureMs(paths: readonly string[], now: number): Promise<number> {
  const times = await Promise.all(paths.map(modifiedAt));
  return Math.max(0, ...times.flatMap((at) => (at === undefined ? [] : [at - now])));
}

/** The bytes of all files below a folder. What goes away meanwhile counts for nothing. */
export async function bytesBelow(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(({ parentPath, name }) =>
      stat(join(parentPath, name)).then(
        ({ size }) => size,
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** The folder itself, or the nearest one above it that is there. */
export async function existingFolder(path: string): Promise<string> {
  const exists = await stat(path).then(
    () => true,
    () => path === dirname(path),
  );
  return exists ? path : existingFolder(dirname(path));
}

/** Linux's f_type of where a path lies; absent: it isn't there, or this is another system. */
export async function fileSystemType(path: string): Promise<number | undefined> {
  if (process.platform !== "linux") return undefined;
  return statfs(path).then(
    ({ type }) => type,
    () => undefined,
  );
}

async function modifiedAt(path: string): Promise<number | undefined> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => undefined,
  );
}

async function entriesOf(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => []);
}
