import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { Readable } from "node:stream";
import type { DecryptionKey } from "../../core/encryption";
import { peek } from "../peek";
import { archiveFailure } from "./damage";
import { decrypt } from "./decrypt";
import { extractInto } from "./extract";
import { gunzip } from "./gunzip";
import { AOF_MANIFEST, FILES, INCREMENT_PATH, LINK } from "./layout";
import { parseRdbHead, RDB_HEAD_BYTES, type RdbHead } from "./rdb-head";
import { type ArchiveSink, type ExpectedFile, type FoundFile, readTar } from "./tar-read";
import { untilAborted } from "./until-aborted";

export interface LoneOptions {
  /** For messages. */
  readonly name: string;
  /** Where its files are put, for this user alone; whoever asked synchronises it. */
  readonly folder: string;
  /** Opens it, should it be encrypted. */
  readonly key?: DecryptionKey | undefined;
  /** Told of the snapshot before it is read: by its size, and by what it says of itself. What they throw ends the reading. */
  readonly admitSize: (sizeBytes: number) => void | Promise<void>;
  readonly admitHead: (head: RdbHead) => void;
}

/** What an archive was found to hold. */
export interface LoneArchive {
  readonly files: readonly FoundFile[];
  readonly head: RdbHead;
}

const AGE = "age-encryption.org/";
/** Ours have some kilobytes. */
const MOST_SMALL_BYTES = 1024 * 1024;

/**
 * Reads a stored archive of which nothing is known but its format: its entries are those of format 1, each once, and
 * nothing else; its checksums are those of gzip, and of age where it is encrypted. That its snapshot is sound is left to
 * whoever loads it. Memory is constant. Consumes or destroys the stream; after a failure the caller removes what is in
 * the folder.
 *
 * Throws a Failure: `archive-damaged`, `needs-key`, `wrong-key`; what the stream itself failed with, or who admits,
 * passes unchanged, as does the signal's reason.
 */
export async function readLoneArchive(
  stored: Readable,
  { name, folder, key, admitSize, admitHead }: LoneOptions,
  signal: AbortSignal,
  onProgress: (doneBytes: number) => void,
): Promise<LoneArchive> {
  const damaged = (why: string) => archiveFailure("archive-damaged", name, why);
  async function* counted(): AsyncGenerator<Buffer, void> {
    let doneBytes = 0;
    for await (const chunk of untilAborted<Buffer>(stored, signal)) {
      doneBytes += chunk.length;
      onProgress(doneBytes);
      yield chunk;
    }
  }
  let head: RdbHead | undefined;
  const disk = extractInto(folder, { durable: true });
  const sink: ArchiveSink = {
    ...disk,
    async file(path, content) {
      if (path !== LINK.target) return disk.file(path, content);
      const peeked = await peek(content, RDB_HEAD_BYTES);
      head = parseRdbHead(peeked.head);
      if (head === undefined) throw damaged(`its ${path} is no snapshot`);
      admitHead(head);
      await disk.file(path, peeked.content);
    },
  };
  const expected = FILES.map((path): ExpectedFile => {
    if (path === LINK.target) return { path, admit: admitSize };
    const most = path === INCREMENT_PATH ? 0 : MOST_SMALL_BYTES;
    return {
      path,
      admit: (sizeBytes) => {
        if (sizeBytes > most) throw damaged(`${path} has ${sizeBytes} bytes in it, more than it may have`);
      },
    };
  });
  try {
    const { head: first, content } = await peek(counted(), AGE.length);
    const isEncrypted = first.toString("latin1") === AGE;
    if (isEncrypted && key === undefined) throw archiveFailure("needs-key", name, "it is encrypted");
    const unpacked = gunzip(
      isEncrypted && key !== undefined ? decrypt(content, key, name) : content,
      damaged,
    );
    let files: FoundFile[];
    try {
      files = await readTar(unpacked, expected, sink, damaged);
    } finally {
      await unpacked.return();
    }
    const told = await readFile(join(folder, AOF_MANIFEST.path), "utf8");
    if (told !== AOF_MANIFEST.content) throw damaged(`${AOF_MANIFEST.path} does not name its snapshot`);
    if (head === undefined) throw damaged("it holds no snapshot");
    return { files, head };
  } catch (error) {
    signal.throwIfAborted();
    throw error;
  } finally {
    stored.destroy();
  }
}
