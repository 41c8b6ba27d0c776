import { unlink } from "node:fs";
import { dirname } from "node:path";
import { syncFolder } from "../system/files";
import type { NotRemoved } from "./contract";
import { fileFailure, systemCode } from "./file-errors";
import { eachOf } from "./several";

/** A network's disk answers many at once in the time of one. */
const AT_ONCE = 64;

/** Removes a file for good; one that is not there is success. */
export async function removeFile(path: string, signal: AbortSignal): Promise<void> {
  const [failed] = await removeFiles([path], (same) => same, signal);
  if (failed !== undefined) throw failed.failure;
}

/** Removes files for good, each folder's changes made durable once; `keyOf` names a file in what is returned. */
export async function removeFiles(
  paths: readonly string[],
  keyOf: (path: string) => string,
  signal: AbortSignal,
): Promise<NotRemoved[]> {
  signal.throwIfAborted();
  const failed: NotRemoved[] = [];
  const folders = new Map<string, string>();
  try {
    await eachOf(paths, AT_ONCE, (path, done) => {
      if (signal.aborted) return done(signal.reason);
      unlink(path, (error) => {
        if (error === null) folders.set(dirname(path), path);
        else if (!isMissing(error))
          failed.push({ key: keyOf(path), failure: fileFailure(error, "remove", path) });
        done();
      });
    });
  } finally {
    for (const [folder, path] of folders) await settled(folder, path);
  }
  return failed;
}

/** `path`: one of those that were removed from the folder, for messages. */
async function settled(folder: string, path: string): Promise<void> {
  try {
    await syncFolder(folder);
  } catch (error) {
    if (!isMissing(error)) throw fileFailure(error, "remove", path);
  }
}

function isMissing(error: unknown): boolean {
  return ["ENOENT", "ENOTDIR"].includes(systemCode(error));
}
