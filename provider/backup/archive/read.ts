import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import type { DecryptionKey } from "../../core/encryption";
import type { Manifest } from "../../core/manifest";
import { archiveFailure, isArchiveFailure } from "./damage";
import { decrypt } from "./decrypt";
import { checkOnly, extractInto } from "./extract";
import { gunzip } from "./gunzip";
import { FILES, LINK } from "./layout";
import { readTar } from "./tar-read";
import { untilAborted } from "./until-aborted";

export interface ReadOptions {
  /** What the archive must be, byte for byte. */
  readonly manifest: Manifest;
  /** Where its files are put, for this user alone, so that a server started there loads them; absent: only checked. */
  readonly folder?: string | undefined;
  /** The folder shall survive a power failure, once whoever asked has synchronised it; false by default. */
  readonly durable?: boolean;
  /** Opens it, where the manifest says that it is encrypted. */
  readonly key?: DecryptionKey | undefined;
}

/**
 * Reads a stored archive to its end and proves it against its manifest: each stored byte, each entry, and that there
 * is nothing else. Memory is constant. Returns only if all of it holds; after a failure the caller removes what is in
 * the folder. Consumes or destroys the stream.
 *
 * Throws a Failure: `archive-damaged`, which says what is wrong with which entry, `archive-truncated`, `needs-key`,
 * `wrong-key`; what the stream itself failed with passes unchanged, as does the signal's reason.
 */
export async function readArchive(
  stored: Readable,
  { manifest, folder, durable = false, key }: ReadOptions,
  signal: AbortSignal,
  onProgress?: (doneBytes: number) => void,
): Promise<void> {
  const { archive } = manifest;
  const damaged = (why: string) => archiveFailure("archive-damaged", archive.name, why);
  try {
    checkManifest(manifest, damaged);
    if (manifest.encryption !== undefined && key === undefined)
      throw archiveFailure("needs-key", archive.name, "it is encrypted");
    const measured = measure(stored, archive.sizeBytes, signal, onProgress);
    const bytes =
      manifest.encryption !== undefined && key !== undefined
        ? decrypt(measured.bytes, key, archive.name)
        : measured.bytes;
    const sink = folder === undefined ? checkOnly : extractInto(folder, { durable });
    const unpacked = gunzip(bytes, damaged);
    let problem: unknown;
    try {
      await readTar(unpacked, manifest.files, sink, damaged);
    } catch (error) {
      signal.throwIfAborted();
      measured.throwIfSourceFailed();
      if (!isArchiveFailure(error)) throw error;
      problem = error;
    } finally {
      await unpacked.return();
    }
    // The rest is read even after a problem: only the whole tells an archive that was cut or changed since it was
    // written from one that was written wrongly, or a wrong key from a damaged header.
    const { sizeBytes, sha256 } = await measured.finish();
    if (sizeBytes < archive.sizeBytes)
      throw archiveFailure(
        "archive-truncated",
        archive.name,
        `it ends after ${sizeBytes} of ${archive.sizeBytes} bytes`,
      );
    const inside = isArchiveFailure(problem) ? `: ${problem.cause}` : "";
    if (sizeBytes > archive.sizeBytes)
      throw damaged(`it is longer than the ${archive.sizeBytes} bytes written`);
    if (sha256 !== archive.sha256) throw damaged(`its bytes are not those that were written${inside}`);
    if (problem !== undefined) throw problem;
  } finally {
    stored.destroy();
  }
}

/** A path that can be joined to a folder without leaving it, whatever the system. */
const SAFE_PATH = /^[A-Za-z0-9_][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_][A-Za-z0-9._-]*)*$/;

/** A manifest lies beside its archive, where others may write: it is believed no more than the archive. */
function checkManifest({ files, rdb }: Manifest, damaged: (why: string) => Error): void {
  const paths = files.map(({ path }) => path);
  const odd = paths.find((path) => !SAFE_PATH.test(path) || path === LINK.path);
  if (odd !== undefined)
    throw damaged(`its manifest lists a path that no archive holds: ${JSON.stringify(odd)}`);
  if (new Set(paths).size < paths.length) throw damaged("its manifest lists a file twice");
  const missing = FILES.filter((path) => !paths.includes(path));
  if (missing.length > 0) throw damaged(`its manifest does not list ${missing.join(", ")}`);
  if (files.find(({ path }) => path === LINK.target)?.sizeBytes !== rdb.sizeBytes)
    throw damaged(`its manifest gives two sizes of ${LINK.target}`);
}

/** Counts and hashes what is read of a stream, one byte more than it may have at most. */
function measure(
  stored: Readable,
  limitBytes: number,
  signal: AbortSignal,
  onProgress: ((doneBytes: number) => void) | undefined,
) {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  let sourceError: unknown;
  async function* counted(): AsyncGenerator<Buffer, void> {
    try {
      for await (const chunk of untilAborted<Buffer>(stored, signal)) {
        sizeBytes += chunk.length;
        hash.update(chunk);
        onProgress?.(sizeBytes);
        if (sizeBytes > limitBytes) return;
        yield chunk;
      }
    } catch (error) {
      sourceError = error;
      throw error;
    }
  }
  const chunks = counted();
  return {
    // Without `return`: who reads this may stop early, and what is left must still be read.
    bytes: { [Symbol.asyncIterator]: () => ({ next: () => chunks.next() }) },
    throwIfSourceFailed: () => {
      if (sourceError !== undefined) throw sourceError;
    },
    async finish() {
      for await (const _rest of chunks);
      return { sizeBytes, sha256: hash.digest("hex") };
    },
  };
}
