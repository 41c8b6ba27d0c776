import { link, open, readdir, rename, rm, stat, unlink } from "node:fs/promises";
import { dirname, join } from "node:path";
import { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { Failure } from "../core/errors";
import { makeFolderDurably, syncFolder, temporaryBeside } from "../system/files";
import type { PutOptions, Store, StoredObject } from "./contract";
import { fileFailure, systemCode } from "./file-errors";
import { splitKey } from "./keys";

/** A put that is this old has been interrupted: nothing writes to a file for so long without touching it. */
const DEAD_AFTER_MS = 24 * 60 * 60_000;
const CHUNK_BYTES = 256 * 1024;

/** A folder as a store; it is created by the first put. */
export function openFileStore(root: string): Store {
  const url = pathToFileURL(root).href;
  const pathOf = (key: string, operation: string) => {
    const { folder, file } = splitKey(key, operation, url);
    return join(root, folder, file);
  };
  return {
    url,
    guarantees: async () => ({ ifAbsent: true }),
    put: async (key, source, options) => put(pathOf(key, "write"), source, options),
    get: async (key, signal) => get(pathOf(key, "read"), signal),
    list: (prefix, signal) => list(root, prefix, signal),
    delete: async (key, signal) => remove(pathOf(key, "remove"), signal),
    sweep: async (folder, signal) => sweep(join(root, folder), signal),
  };
}

async function put(path: string, source: Readable, { ifAbsent = false, signal }: PutOptions) {
  const temporary = temporaryBeside(path);
  const folder = dirname(path);
  // A source's own failure passes unchanged. One that is left early because the disk fails says that it was aborted.
  let sourceError: unknown;
  source.once("error", (error) => (sourceError ??= error));
  try {
    signal.throwIfAborted();
    await makeFolderDurably(folder);
    const handle = await open(temporary, "wx", 0o600);
    let sizeBytes: number;
    try {
      await handle.writeFile(source, { signal });
      await handle.sync();
      sizeBytes = (await handle.stat()).size;
    } finally {
      await handle.close();
    }
    signal.throwIfAborted();
    if (ifAbsent) {
      // link() is the one way to name a whole file that fails when the name is taken, whoever else tries.
      await link(temporary, path).catch((error: unknown) => {
        throw systemCode(error) === "EEXIST" ? alreadyExists(path) : error;
      });
      await unlink(temporary);
    } else {
      await rename(temporary, path);
    }
    await syncFolder(folder);
    return { sizeBytes };
  } catch (error) {
    source.destroy();
    await rm(temporary, { force: true }).catch(() => undefined);
    signal.throwIfAborted();
    const isOfDisk = error !== sourceError && error instanceof Error && "syscall" in error;
    throw isOfDisk ? fileFailure(error, "write", path) : (sourceError ?? fileFailure(error, "write", path));
  }
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

async function sweep(folder: string, signal: AbortSignal): Promise<number> {
  signal.throwIfAborted();
  const temporaries = (await readdir(folder).catch(() => [])).filter((name) => /^\..+\.tmp$/.test(name));
  let removed = 0;
  let diskTime: number | undefined;
  for (const name of temporaries) {
    signal.throwIfAborted();
    const path = join(folder, name);
    const modifiedAt = await stat(path).then(
      ({ mtimeMs }) => mtimeMs,
      () => Infinity,
    );
    if (Date.now() - modifiedAt <= DEAD_AFTER_MS) continue;
    diskTime ??= await timeOfDisk(folder);
    if (diskTime - modifiedAt <= DEAD_AFTER_MS) continue;
    removed += await rm(path).then(
      () => 1,
      () => 0,
    );
  }
  return removed;
}

/**
 * What a file is dated that is written there now: a clock here that jumped ahead must not make dead what another
 * machine is writing to a shared disk. Long ago where that can't be told.
 */
async function timeOfDisk(folder: string): Promise<number> {
  const path = temporaryBeside(join(folder, "clock"));
  try {
    await using file = await open(path, "wx", 0o600);
    return (await file.stat()).mtimeMs;
  } catch {
    return -Infinity;
  } finally {
    await rm(path, { force: true }).catch(() => undefined);
  }
}

function alreadyExists(path: string): Failure {
  return new Failure({
    code: "already-exists",
    operation: "write",
    subject: pathToFileURL(path).href,
    cause: "it exists already",
  });
}
