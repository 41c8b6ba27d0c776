import { link, mkdir, open, readdir, rename, rm, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { pathToFileURL } from "node:url";
import type { DecryptionKey } from "../core/encryption";
import { Failure } from "../core/errors";
import type { Task } from "../core/task";
import type { Store } from "../stores/contract";
import { fileFailure, systemCode } from "../stores/file-errors";
import { isTaken, syncFolder, syncTree, temporaryBeside } from "../system/files";
import { readArchive } from "./archive/read";
import { archiveBytes } from "./archive-bytes";
import { readManifest } from "./catalog";
import { requireKnown } from "./require-known";

/**
 * Fetches a backup's archive as it is stored, and compares it with its manifest. The file appears whole or not at all
 * and survives a power failure; one that exists is never overwritten: `already-exists`. Fails with `archive-damaged` or
 * `archive-truncated` where the store holds something else than was written.
 */
export async function downloadArchive(
  store: Store,
  catalogKey: string,
  slot: string,
  { to }: { readonly to: string },
  task: Task,
): Promise<void> {
  const { signal } = task;
  const { archive } = await readManifest(store, catalogKey, slot, signal);
  if (await isTaken(to)) throw alreadyExists(to, "it exists already");
  const temporary = temporaryBeside(to);
  let doneBytes = 0;
  try {
    await using file = await open(temporary, "wx", 0o600);
    for await (const chunk of archiveBytes(store, catalogKey, archive, signal)) {
      doneBytes += chunk.length;
      await file.writeFile(chunk);
      task.progress({ message: "downloading", doneBytes, totalBytes: archive.sizeBytes });
    }
    await file.sync();
    await nameFile(temporary, to);
    await syncFolder(dirname(to));
  } catch (error) {
    signal.throwIfAborted();
    // What the store fails with is a Failure already.
    throw fileFailure(error, "write", to);
  } finally {
    await rm(temporary, { force: true });
  }
}

/**
 * Fetches a backup's files into a folder that is absent or empty, where a server that is started there loads them; all
 * of them are compared with the manifest. The folder appears whole or not at all. Fails as reading an archive does, and
 * with `already-exists`.
 */
export async function extractBackup(
  store: Store,
  catalogKey: string,
  slot: string,
  { to, key }: { readonly to: string; readonly key?: DecryptionKey | undefined },
  task: Task,
): Promise<void> {
  const { signal } = task;
  const manifest = await readManifest(store, catalogKey, slot, signal);
  await requireEmpty(to);
  const temporary = temporaryBeside(to);
  const stored = await store.get(`${catalogKey}/${manifest.archive.name}`, signal);
  try {
    await mkdir(temporary, { mode: 0o700 });
    await readArchive(stored, { manifest, folder: temporary, durable: true, key }, signal, (doneBytes) =>
      task.progress({ message: "extracting", doneBytes, totalBytes: manifest.archive.sizeBytes }),
    );
    await requireKnown(temporary, manifest);
    await syncTree(temporary);
    // Onto an empty folder a folder may be renamed; onto one that is no longer empty it may not.
    await rename(temporary, to);
    await syncFolder(dirname(to));
  } catch (error) {
    signal.throwIfAborted();
    if (["ENOTEMPTY", "EEXIST"].includes(systemCode(error))) throw alreadyExists(to, "it is not empty");
    throw error instanceof Failure ? error : fileFailure(error, "write", to);
  } finally {
    stored.destroy();
    await rm(temporary, { recursive: true, force: true });
  }
}

/** A link fails where the name was taken meanwhile; a disk that knows no links is given the name when nobody has it. */
async function nameFile(temporary: string, path: string): Promise<void> {
  try {
    await link(temporary, path);
    await unlink(temporary);
  } catch (error) {
    if (await isTaken(path)) throw alreadyExists(path, "it exists already");
    if (!["EPERM", "ENOTSUP", "EOPNOTSUPP", "ENOSYS", "EMLINK"].includes(systemCode(error))) throw error;
    await rename(temporary, path);
  }
}

async function requireEmpty(folder: string): Promise<void> {
  try {
    if ((await readdir(folder)).length > 0) throw alreadyExists(folder, "it is not empty");
  } catch (error) {
    if (systemCode(error) !== "ENOENT") throw fileFailure(error, "write", folder);
  }
}

function alreadyExists(path: string, cause: string): Failure {
  return new Failure({
    code: "already-exists",
    operation: "write",
    subject: pathToFileURL(path).href,
    cause,
    hint: "Choose another place",
  });
}
