import { join } from "node:path";
import { pathToFileURL } from "node:url";
import type { Store, StoredObject } from "./contract";
import { removeFile, removeFiles } from "./file-delete";
import { getFile } from "./file-get";
import { keysBetween, listParts } from "./file-list";
import { probing } from "./file-probe";
import { putFile } from "./file-put";
import { sweepFolder, timeOfDisk } from "./file-sweep";
import { byKey, splitKey } from "./keys";

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
    parts: (prefix, signal) => listParts(root, prefix, signal),
    keysBetween: (after, before, signal) => keysBetween(root, after, before, signal),
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
  const found: StoredObject[] = [];
  for await (const part of listParts(root, prefix, signal)) found.push(...part);
  return found.sort(byKey);
}
