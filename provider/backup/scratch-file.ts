import { writeSync } from "node:fs";
import { type FileHandle, lstat, mkdir, mkdtemp, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../core/errors";

const PREFIX = "redis-addon-spool-";
/** Such a folder is there for a moment: after so long whoever made it was killed in that. */
const DEAD_AFTER_MS = 24 * 60 * 60_000;

/**
 * Opens an empty file that has no name any more: whatever happens to this process, nothing is left of it, and nobody
 * but this process can open it. So it may hold in clear what an archive will hold encrypted. Makes the folder.
 */
export async function openScratchFile(folder: string): Promise<FileHandle> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const own = await mkdtemp(join(folder, PREFIX));
    try {
      await removeLeftovers(folder, (await lstat(own)).mtimeMs);
      return await open(join(own, "snapshot"), "wx+", 0o600);
    } finally {
      await rm(own, { recursive: true, force: true });
    }
  } catch (error) {
    throw scratchFailure(folder, error);
  }
}

/** Writes all of it before it returns: to the system's memory mostly, which writes it to the disk later. */
export function writeAllSync(file: FileHandle, bytes: Buffer, position: number): void {
  for (let done = 0; done < bytes.length;)
    done += writeSync(file.fd, bytes, done, bytes.length - done, position + done);
}

/** Of this user alone; what can't be looked at or removed stays. `now` is the disk's own time. */
async function removeLeftovers(parent: string, now: number): Promise<void> {
  const names = await readdir(parent).catch(() => []);
  for (const name of names.filter((name) => name.startsWith(PREFIX))) {
    const path = join(parent, name);
    const stats = await lstat(path).catch(() => undefined);
    if (stats?.isDirectory() !== true || stats.uid !== process.getuid?.()) continue;
    if (now - stats.mtimeMs > DEAD_AFTER_MS)
      await rm(path, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** What our own disk refuses, as a Failure; anything else is returned as it is. */
export function scratchFailure(folder: string, error: unknown): unknown {
  const code = error instanceof Error && "syscall" in error && "code" in error ? String(error.code) : "";
  if (error instanceof Failure || !/^(ENO|E(DQUOT|FBIG|IO|ROFS|ACCES|PERM|MFILE|EXIST)$)/.test(code))
    return error;
  const isFull = /^(ENOSPC|EDQUOT|EFBIG)$/.test(code);
  return new Failure({
    code: isFull ? "scratch-full" : "scratch-unusable",
    operation: "keep a snapshot in",
    subject: folder,
    cause: isFull ? "there is no room left" : `the file can't be written (${code})`,
    hint: isFull
      ? "Free some space there, or let TMPDIR name a folder with more"
      : "Make the folder writable, or let TMPDIR name another",
    transient: isFull,
  });
}
