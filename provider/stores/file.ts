import { open, readdir, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { syncFolder } from "../system/files";
import type { Store, StoredObject } from "./contract";
import { fileFailure, systemCode } from "./file-errors";
import { probing } from "./file-probe";
import { putFile } from "./file-put";
import { sweepFolder } from "./file-sweep";
import { splitKey } from "./keys";

const CHUNK_BYTES = 256 * 1024;

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
    get: async (key, signal) => get(pathOf(key, "read"), signal),
    list: (prefix, signal) => list(root, prefix, signal),
    delete: async (key, signal) => remove(pathOf(key, "remove"), signal),
    sweep: (folder, signal) => sweepFolder(root, folder, signal),
  };
}

async function get(path: string, signal: AbortSignal): Promise<Readable> {
  signal.throwIfAborted();
  let handle;
  try {
    handle = await open(path, "r");
  } catch (error) {
    throw fileFailure(error, "read", path);
  }
  const file = handle;
  async function* chunks() {
    try {
      const { size } = await file.stat();
      for (let position = 0; position < size;) {
        signal.throwIfAborted();
        const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, size - position));
        const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
        if (bytesRead === 0) throw new Error(`it ended after ${position} of ${size} bytes`);
        position += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    } catch (error) {
      signal.throwIfAborted();
      throw fileFailure(error, "read", path);
    } finally {
      await file.close();
    }
  }
  const stream = Readable.from(chunks(), { objectMode: false });
  // A generator that was never started runs no finally.
  stream.once("close", () => void file.close().catch(() => undefined));
  return stream;
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
    for (const file of await names(join(root, folder))) {
      signal.throwIfAborted();
      const key = `${folder}/${file}`;
      if (!key.startsWith(prefix)) continue;
      const path = join(root, folder, file);
      const stats = await stat(path).catch((error: unknown) => {
        // Removed since its folder was read.
        if (systemCode(error) === "ENOENT") return undefined;
        throw fileFailure(error, "list", path);
      });
      if (stats?.isFile() === true)
        found.push({ key, sizeBytes: stats.size, modifiedAt: Math.trunc(stats.mtimeMs) });
    }
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

async function remove(path: string, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  try {
    await unlink(path);
    await syncFolder(dirname(path));
  } catch (error) {
    if (["ENOENT", "ENOTDIR"].includes(systemCode(error))) return;
    throw fileFailure(error, "remove", path);
  }
}
