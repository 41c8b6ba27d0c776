import { createHash } from "node:crypto";
import { Readable, Transform } from "node:stream";
import { pipeline } from "node:stream/promises";
import type { Store } from "../../stores/contract";
import { compressor } from "./compress";
import type { ArchiveEntry } from "./layout";
import { type ArchivedFile, tarBytes } from "./tar";

export interface WrittenArchive {
  readonly sizeBytes: number;
  readonly sha256: string;
  readonly files: readonly ArchivedFile[];
}

/**
 * Streams the entries through tar and gzip into the store. Memory stays constant: each stage waits for the next. On any
 * failure the store holds nothing of it, and the first cause is what is thrown.
 */
export async function writeArchive(
  entries: readonly ArchiveEntry[],
  options: {
    readonly store: Store;
    readonly key: string;
    readonly modifiedAt: number;
    readonly signal: AbortSignal;
  },
): Promise<WrittenArchive> {
  const { store, key, modifiedAt, signal } = options;
  const files: ArchivedFile[] = [];
  const hash = createHash("sha256");
  let sizeBytes = 0;
  const tar = Readable.from(
    tarBytes(entries, modifiedAt, (file) => files.push(file)),
    { objectMode: false },
  );
  const meter = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      done(null, chunk);
    },
  });
  // The store reads from the last stage: pipeline lets it see a failure of an earlier one, not an early end.
  const produced = pipeline(tar, compressor(), meter, { signal });
  const stored = store.put(key, meter, { ifAbsent: true, signal });
  const [production, storage] = await Promise.allSettled([produced, stored]);
  signal.throwIfAborted();
  // Each side's failure tears down the other, which then reports a premature close: the store's own word comes first
  // unless it was handed the producer's.
  if (storage.status === "rejected") throw storage.reason;
  if (production.status === "rejected") throw production.reason;
  if (storage.value.sizeBytes !== sizeBytes)
    throw new Error(`${store.url} stored ${storage.value.sizeBytes} of ${sizeBytes} bytes`);
  return { sizeBytes, sha256: hash.digest("hex"), files };
}
