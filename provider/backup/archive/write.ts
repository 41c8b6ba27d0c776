import { createHash } from "node:crypto";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { DecryptionKey, Encryption } from "../../core/encryption";
import type { Store } from "../../stores/contract";
import { compressMembers } from "./compress";
import { encrypt } from "./encrypt";
import type { ArchiveEntry } from "./layout";
import { type ArchivedFile, BLOCK_BYTES, tarBytes } from "./tar";
import { untilAborted } from "./until-aborted";

export interface WrittenArchive {
  /** Of the stored bytes: of the encrypted ones, where they are. */
  readonly archive: { readonly sizeBytes: number; readonly sha256: string };
  readonly files: readonly ArchivedFile[];
  /** Opens what was encrypted here, so that it can be verified; never to be stored. Absent: it isn't encrypted. */
  readonly key: DecryptionKey | undefined;
}

/**
 * Streams the entries through tar, gzip and, if wanted, age into the store. Memory stays constant: each stage waits
 * for the next. On any failure the store holds nothing of it, and the first cause is what is thrown. Throws a Failure
 * `invalid-recipient` before the store is touched.
 */
export async function writeArchive(
  entries: readonly ArchiveEntry[],
  options: {
    readonly store: Store;
    readonly key: string;
    readonly modifiedAt: number;
    readonly encryption?: Encryption | undefined;
    readonly signal: AbortSignal;
  },
): Promise<WrittenArchive> {
  const { store, key, modifiedAt, encryption, signal } = options;
  const files: ArchivedFile[] = [];
  const hash = createHash("sha256");
  let sizeBytes = 0;
  const tar = tarBytes(entries, modifiedAt, (file) => files.push(file));
  const members = compressMembers(untilAborted(tar, signal));
  const encrypted = encryption === undefined ? undefined : await encrypt(members, encryption);
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      done(null, chunk);
    },
  });
  // The store reads from the last stage: pipeline lets it see a failure of an earlier one, not an early end.
  const source = Readable.from(encrypted?.bytes ?? members, { objectMode: false });
  const produced = pipeline(source, meter, { signal });
  const stored = store.put(key, meter, { ifAbsent: true, estimateBytes: estimate(entries), signal });
  const [production, storage] = await Promise.allSettled([produced, stored]);
  signal.throwIfAborted();
  // Each side's failure tears down the other, which then reports a premature close: the store's own word comes first
  // unless it was handed the producer's.
  if (storage.status === "rejected") throw storage.reason;
  if (production.status === "rejected") throw production.reason;
  if (storage.value.sizeBytes !== sizeBytes)
    throw new Error(`${store.url} stored ${storage.value.sizeBytes} of ${sizeBytes} bytes`);
  return { archive: { sizeBytes, sha256: hash.digest("hex") }, files, key: encrypted?.key };
}

/** At most about so much is stored: what is compressed may not shrink. */
function estimate(entries: readonly ArchiveEntry[]): number {
  // A header, and what fills up the last block.
  return entries.reduce(
    (sum, entry) => sum + (entry.kind === "file" ? entry.sizeBytes : 0) + 2 * BLOCK_BYTES,
    2 * BLOCK_BYTES,
  );
}
