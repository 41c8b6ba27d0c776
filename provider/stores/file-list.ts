import { type Dir, stat } from "node:fs";
import { opendir } from "node:fs/promises";
import { join } from "node:path";
import type { StoredObject } from "./contract";
import { fileFailure, systemCode } from "./file-errors";
import { eachOf } from "./several";

/** Files that are looked at side by side. */
const AT_ONCE = 64;
/** Names that are read at once. A whole folder's would take as much memory as all that a catalog keeps of them. */
const PART = 1024;

/** Objects below the root whose keys begin with a prefix, part by part, in the order in which the disk tells them. */
export async function* listParts(
  root: string,
  prefix: string,
  signal: AbortSignal,
): AsyncGenerator<readonly StoredObject[], void, void> {
  signal.throwIfAborted();
  const [folderPart = "", filePart] = prefix.split("/");
  const folders =
    filePart === undefined
      ? (await namesIn(root, signal)).filter((name) => name.startsWith(folderPart))
      : [folderPart].filter((name) => name !== "" && !name.startsWith("."));
  for (const folder of folders)
    for await (const names of namesOf(join(root, folder), signal))
      yield look(
        join(root, folder),
        folder,
        names.filter((name) => filePart === undefined || name.startsWith(filePart)),
        signal,
      );
}

export async function keysBetween(
  root: string,
  after: string,
  before: string,
  signal: AbortSignal,
): Promise<string[]> {
  signal.throwIfAborted();
  const [folder = ""] = after.split("/");
  const found: string[] = [];
  for await (const names of namesOf(join(root, folder), signal))
    for (const name of names) {
      const key = `${folder}/${name}`;
      if (key > after && key < before) found.push(key);
    }
  return found.sort();
}

async function look(
  path: string,
  folder: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<StoredObject[]> {
  const found: StoredObject[] = [];
  await eachOf(names, AT_ONCE, (name, done) => {
    if (signal.aborted) return done(signal.reason);
    const file = `${path}/${name}`;
    stat(file, (error, stats) => {
      // Removed since its folder was read.
      if (error !== null) return done(error.code === "ENOENT" ? undefined : fileFailure(error, "list", file));
      const { size: sizeBytes, mtimeMs } = stats;
      if (stats.isFile())
        found.push({ key: `${folder}/${name}`, sizeBytes, modifiedAt: Math.trunc(mtimeMs) });
      done();
    });
  });
  return found;
}

async function namesIn(folder: string, signal: AbortSignal): Promise<string[]> {
  const all: string[] = [];
  for await (const names of namesOf(folder, signal)) all.push(...names);
  return all;
}

/** What lies in a folder, part by part; nothing where it is missing, and no temporaries. */
async function* namesOf(folder: string, signal: AbortSignal): AsyncGenerator<string[], void, void> {
  let opened: Dir | undefined;
  try {
    opened = await opendir(folder, { bufferSize: PART });
    for (let names = await next(opened); names.length > 0; names = await next(opened)) {
      signal.throwIfAborted();
      yield names.filter((name) => !name.startsWith("."));
    }
  } catch (error) {
    signal.throwIfAborted();
    if (["ENOENT", "ENOTDIR"].includes(systemCode(error))) return;
    throw fileFailure(error, "list", folder);
  } finally {
    await opened?.close();
  }
}

/** By callbacks: a promise for each name costs as much again as reading it. Empty at the end. */
function next(folder: Dir): Promise<string[]> {
  return new Promise((resolve, reject) => {
    const names: string[] = [];
    const read = (): void =>
      folder.read((error, entry) => {
        if (error !== null) return reject(error);
        if (entry !== null) names.push(entry.name);
        if (entry === null || names.length === PART) return resolve(names);
        read();
      });
    read();
  });
}
