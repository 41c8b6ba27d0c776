import { stat } from "node:fs";
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Store, StoredObject } from "./contract";
import { removeFile, removeFiles } from "./file-delete";
import { fileFailure, systemCode } from "./file-errors";
import { getFile } from "./file-get";
import { probing } from "./file-probe";
import { putFile } from "./file-put";
import { sweepFolder, timeOfDisk } from "./file-sweep";
import { splitKey } from "./keys";
import { eachOf } from "./several";

/** Files that are looked at side by side. */
const AT_ONCE = 64;

/** A folder as a store; it is created by the first put, or by the question what it guarantees. */
export function openFileStore(root: string): Store {
  const url = pathToFileURL(root).href;
  const pathOf = (key: string, operation: string) => {
    const { folder, file } = splitKey(key, operation, url);
    return join(root, folder, file);
  };
  const probe = probing(root);
  return {
    url,
    async guarantees(signal) {
      await probe(signal);
      return { ifAbsent: true };
    },
    put: async (key, source, options) => putFile(pathOf(key, "write"), source, options),
    get: async (key, signal) => getFile(pathOf(key, "read"), signal),
    list: (prefix, signal) => list(root, prefix, signal),
    delete: async (key, signal) => removeFile(pathOf(key, "remove"), signal),
    async deleteMany(keys, signal) {
      signal.throwIfAborted();
      const paths = keys.map((key) => pathOf(key, "remove"));
      return removeFiles(paths, (path) => path.slice(root.length + 1), signal);
    },
    async time(folder, signal) {
      signal.throwIfAborted();
      return timeOfDisk(join(root, folder));
    },
    sweep: (folder, signal) => sweepFolder(root, folder, signal),
  };
}

async function list(root: string, prefix: string, signal: AbortSignal): Promise<StoredObject[]> {
  signal.throwIfAborted();
  const [folderPart = "", filePart] = prefix.split("/");
  const folders =
    filePart === undefined
      ? (await names(root)).filter((name) => name.startsWith(folderPart))
      : [folderPart].filter((name) => name !== "" && !name.startsWith("."));
  const found: StoredObject[] = [];
  for (const folder of folders) {
    const inside = join(root, folder);
    const wanted = (await names(inside)).filter((file) => `${folder}/${file}`.startsWith(prefix));
    await eachOf(wanted, AT_ONCE, (file, done) => {
      if (signal.aborted) return done(signal.reason);
      const path = `${inside}/${file}`;
      stat(path, (error, stats) => {
        // Removed since its folder was read.
        if (error !== null)
          return done(error.code === "ENOENT" ? undefined : fileFailure(error, "list", path));
        if (stats.isFile())
          found.push({
            key: `${folder}/${file}`,
            sizeBytes: stats.size,
            modifiedAt: Math.trunc(stats.mtimeMs),
          });
        done();
      });
    });
  }
  return found.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
}

async function names(folder: string): Promise<string[]> {
  try {
    return (await readdir(folder)).filter((name) => !name.startsWith("."));
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(systemCode(error))) return [];
    throw fileFailure(error, "list", folder);
  }
}
