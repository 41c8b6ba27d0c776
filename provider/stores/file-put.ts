import { link, open, rename, rm, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import type { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { Failure } from "../core/errors";
import { syncFolder, temporaryBeside } from "../system/files";
import type { PutOptions } from "./contract";
import { fileFailure, systemCode } from "./file-errors";
import { makeStoreFolder } from "./file-folder";

/**
 * Writes a file whole or not at all, with its folder.
 *
 * @param subject the path that failures tell of
 */
export async function putFile(
  path: string,
  source: Readable,
  { ifAbsent = false, signal }: PutOptions,
  subject = path,
): Promise<{ sizeBytes: number }> {
  const temporary = temporaryBeside(path);
  const folder = dirname(path);
  // A source's own failure passes unchanged. One that is left early because the disk fails says that it was aborted.
  let sourceError: unknown;
  source.once("error", (error) => (sourceError ??= error));
  try {
    signal.throwIfAborted();
    await makeStoreFolder(folder);
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
        throw systemCode(error) === "EEXIST" ? alreadyExists(subject) : error;
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
    throw isOfDisk
      ? fileFailure(error, "write", subject)
      : (sourceError ?? fileFailure(error, "write", subject));
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
