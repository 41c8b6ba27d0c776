import { createHash } from "node:crypto";
import { Header } from "tar";
import type { ArchiveEntry } from "./layout";

export type ArchivedFile = {
  readonly path: string;
  readonly sizeBytes: number;
  readonly sha256: string;
};

const BLOCK_BYTES = 512;

/**
 * The tar of these entries, as a stream of its bytes. Headers are written here, because every size is known before its
 * content and the content must go through once, without a copy on disk. `onFile` is told each regular file's hash.
 */
export async function* tarBytes(
  entries: readonly ArchiveEntry[],
  modifiedAt: number,
  onFile: (file: ArchivedFile) => void,
): AsyncGenerator<Buffer, void> {
  for (const entry of entries) {
    yield header(entry, modifiedAt);
    if (entry.kind !== "file") continue;
    const hash = createHash("sha256");
    let done = 0;
    for await (const chunk of entry.content) {
      done += chunk.length;
      hash.update(chunk);
      yield chunk;
    }
    // A header that lies about a size makes everything after it unreadable.
    if (done !== entry.sizeBytes)
      throw new Error(`${entry.path} has ${done} bytes instead of ${entry.sizeBytes}`);
    if (done % BLOCK_BYTES > 0) yield Buffer.alloc(BLOCK_BYTES - (done % BLOCK_BYTES));
    onFile({ path: entry.path, sizeBytes: done, sha256: hash.digest("hex") });
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
