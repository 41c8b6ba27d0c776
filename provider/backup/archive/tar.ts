import { createHash } from "node:crypto";
import { Header } from "tar";
import type { ReadyMembers } from "./compress";
import type { ArchiveEntry } from "./layout";

export type ArchivedFile = {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
};

export const BLOCK_BYTES = 512;

/**
 * The tar of these entries, as a stream of its bytes, and of gzip members in place of the bytes that came compressed.
 * Headers are written here, because every size is known before its content and the content must go through once,
 * without a copy on disk. `onFile` is told each regular file's hash.
 */
export async function* tarBytes(
  entries: readonly ArchiveEntry[],
  modifiedAt: number,
  onFile: (file: ArchivedFile) => void,
): AsyncGenerator<Buffer | ReadyMembers, void> {
  for (const entry of entries) {
    yield header(entry, modifiedAt);
    if (entry.kind !== "file") continue;
    const { path, sizeBytes } = entry;
    if ("members" in entry) {
      yield { members: entry.members };
      onFile({ path, sizeBytes, sha256: entry.sha256() });
    } else {
      const hash = createHash("sha256");
      let done = 0;
      for await (const chunk of entry.content) {
        done += chunk.length;
        hash.update(chunk);
        yield chunk;
      }
      // A header that lies about a size makes everything after it unreadable.
      if (done !== sizeBytes) throw new Error(`${path} has ${done} bytes instead of ${sizeBytes}`);
      onFile({ path, sizeBytes, sha256: hash.digest("hex") });
    }
    if (sizeBytes % BLOCK_BYTES > 0) yield Buffer.alloc(BLOCK_BYTES - (sizeBytes % BLOCK_BYTES));
  }
  yield Buffer.alloc(2 * BLOCK_BYTES);
}

function header(entry: ArchiveEntry, modifiedAt: number): Buffer {
  const common = { path: entry.path, mtime: new Date(modifiedAt), uid: 0, gid: 0 };
  const head = new Header(
    entry.kind === "folder"
      ? { ...common, type: "Directory", mode: 0o700, size: 0 }
      : entry.kind === "link"
        ? { ...common, type: "Link", mode: 0o600, size: 0, linkpath: entry.target }
        : { ...common, type: "File", mode: 0o600, size: entry.sizeBytes },
  );
  const block = Buffer.alloc(BLOCK_BYTES);
  head.encode(block);
  return block;
}
