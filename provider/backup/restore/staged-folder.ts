import { copyFile, link, mkdir, rename } from "node:fs/promises";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { Failure } from "../../core/errors";
import { fileFailure } from "../../stores/file-errors";
import { isTaken, syncFolder, syncTree } from "../../system/files";
import { LINK } from "../archive/layout";
import { makeScratchFolder, removeLeftovers, type ScratchFolder } from "../verify/scratch-folder";

/** A folder that is filled beside the place where it shall be: whole there and on the disk, or not at all. */
export interface StagedFolder extends AsyncDisposable {
  /** On the same disk, gone with it: also where this process is killed, by the next one that stages there. */
  readonly scratch: ScratchFolder;
  /** What is put here becomes the folder. */
  readonly path: string;
  /** Gives it its name. */
  finish(): Promise<void>;
}

/** The folder must be absent: `already-exists`. `now` is for telling what killed processes have left. */
export async function stageFolder(folder: string, now: number): Promise<StagedFolder> {
  const parent = dirname(folder);
  await removeLeftovers(parent, now);
  if (await isTaken(folder)) throw alreadyExists(folder);
  const scratch = await makeScratchFolder(parent).catch((error: unknown) => {
    throw fileFailure(error, "write", folder);
  });
  const path = join(scratch.path, "data");
  return {
    scratch,
    path,
    async finish() {
      try {
        await syncTree(path);
        // Onto an empty folder a folder may be renamed.
        if (await isTaken(folder)) throw alreadyExists(folder);
        await rename(path, folder);
        await syncFolder(parent);
      } catch (error) {
        throw fileFailure(error, "write", folder);
      }
    },
    [Symbol.asyncDispose]: () => scratch[Symbol.asyncDispose](),
  };
}

/**
 * The files of an extracted archive once more, for a server that may write among them. The snapshot is the same file: a
 * server that writes one gives it its name when it is whole, and changes none.
 */
export async function linkedCopy(
  from: string,
  to: string,
  files: readonly { readonly path: string }[],
): Promise<void> {
  try {
    for (const path of [...files.map((file) => file.path), LINK.path]) {
      await mkdir(dirname(join(to, path)), { recursive: true, mode: 0o700 });
      const isSnapshot = path === LINK.path || path === LINK.target;
      await (isSnapshot ? link : copyFile)(join(from, path), join(to, path));
    }
  } catch (error) {
    throw fileFailure(error, "write", to);
  }
}

function alreadyExists(folder: string): Failure {
  return new Failure({
    code: "already-exists",
    operation: "write",
    subject: pathToFileURL(folder).href,
    cause: "it exists already",
  });
}
