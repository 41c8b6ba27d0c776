import { type FileHandle, lstat, mkdir, mkdtemp, open, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../core/errors";
import { compressContent } from "./archive/compress";
import type { CompressedEntry } from "./archive/layout";
import { untilAborted } from "./archive/until-aborted";

export interface Spooled extends Pick<CompressedEntry, "sizeBytes" | "sha256" | "members">, AsyncDisposable {
  /** How many bytes the members have. */
  readonly compressedBytes: number;
}

const READ_BYTES = 1024 * 1024;
const PREFIX = "redis-addon-spool-";
/** Such a folder is there for a moment: after so long whoever made it was killed in that. */
const DEAD_AFTER_MS = 24 * 60 * 60_000;

/**
 * Puts content of unknown length into a temporary file, compressed on the way as an archive wants it, because a tar
 * names a size before the content. The file has no name any more by the time it holds data: whatever happens to this
 * process, nothing is left of it, and nobody but this process can open it. So it may hold in clear what the archive
 * will hold encrypted.
 */
export async function spool(
  content: AsyncIterable<Buffer>,
  folder: string,
  signal: AbortSignal,
): Promise<Spooled> {
  let handle: FileHandle | undefined;
  try {
    handle = await namelessFile(folder);
    const compressed = compressContent(untilAborted(content, signal));
    await handle.writeFile(compressed.members, { signal });
    const spooled = handle;
    return {
      ...compressed.raw(),
      compressedBytes: (await spooled.stat()).size,
      members: spooled.createReadStream({ start: 0, autoClose: false, highWaterMark: READ_BYTES }),
      [Symbol.asyncDispose]: () => spooled.close(),
    };
  } catch (error) {
    await handle?.close();
    signal.throwIfAborted();
    throw scratchFailure(folder, error);
  }
}

async function namelessFile(folder: string): Promise<FileHandle> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const own = await mkdtemp(join(folder, PREFIX));
  try {
    await removeLeftovers(folder, (await lstat(own)).mtimeMs);
    return await open(join(own, "snapshot"), "wx+", 0o600);
  } finally {
    await rm(own, { recursive: true, force: true });
  }
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

/** What our own disk refuses; anything else went wrong with the content. */
function scratchFailure(folder: string, error: unknown): unknown {
  const code = error instanceof Error && "syscall" in error && "code" in error ? String(error.code) : "";
  const isOfContent =
    error instanceof Failure || !/^(ENO|E(DQUOT|FBIG|IO|ROFS|ACCES|PERM|MFILE|EXIST)$)/.test(code);
  if (isOfContent) return error;
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
