import { readlink, stat } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { Failure } from "../core/errors";
import { makeFolderDurably } from "../system/files";
import { systemCode } from "./file-errors";

/** Makes a folder with its parents. Of a link that leads nowhere the system itself says only that it exists. */
export async function makeStoreFolder(folder: string): Promise<void> {
  try {
    await makeFolderDurably(folder);
  } catch (error) {
    throw await whatIsInTheWay(error);
  }
}

async function whatIsInTheWay(met: unknown): Promise<unknown> {
  if (systemCode(met) !== "EEXIST") return met;
  const { path } = met as NodeJS.ErrnoException;
  if (path === undefined) return met;
  const target = await readlink(path).catch(() => undefined);
  if (target === undefined) return met;
  try {
    await stat(path);
    return met;
  } catch (unseen) {
    if (systemCode(unseen) !== "ENOENT") return unseen;
  }
  return new Failure({
    code: "not-a-folder",
    operation: "write",
    subject: pathToFileURL(path).href,
    cause: `it is a link to ${target}, and that is not there`,
    hint: "Mount or make what it leads to, or choose another folder",
  });
}
