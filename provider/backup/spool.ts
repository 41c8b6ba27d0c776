import { readSync } from "node:fs";
import type { FileHandle } from "node:fs/promises";
import { compressContent } from "./archive/compress";
import type { CompressedEntry } from "./archive/layout";
import { untilAborted } from "./archive/until-aborted";
import { openScratchFile, scratchFailure, writeAllSync } from "./scratch-file";

export interface Spooled extends Pick<CompressedEntry, "sizeBytes" | "sha256" | "members">, AsyncDisposable {
  /** About how many bytes the members will have together. */
  readonly estimatedBytes: number;
}

const READ_BYTES = 1024 * 1024;
/**
 * Where in the file the content begins. What it is compressed to is written to the same file from its very beginning,
 * over content that has been taken already: no more disk is needed than for the content. What doesn't shrink grows a
 * little, which this hole (it takes no room) lets it for half a terabyte.
 */
const CONTENT_AT = 64 * READ_BYTES;

/**
 * Takes content of unknown length as fast as it comes, because a tar names a size before the content and because a
 * leader's fork lives until its last byte is taken. Meanwhile it is compressed as an archive wants it, as far as there
 * is time for that; the rest is compressed while the members are read.
 */
export async function spool(
  content: AsyncIterable<Buffer>,
  folder: string,
  signal: AbortSignal,
): Promise<Spooled> {
  const file = await openScratchFile(folder);
  const stop = new AbortController();
  let arrivedBytes = 0;
  let takenBytes = 0;
  let compressedBytes = 0;
  let hasEnded = false;
  let wake: () => void = () => undefined;

  async function receive() {
    try {
      for await (const chunk of untilAborted(content, AbortSignal.any([signal, stop.signal]))) {
        // Not on the pool of threads, which is busy compressing, at the very last priority.
        writeAllSync(file, chunk, CONTENT_AT + arrivedBytes);
        arrivedBytes += chunk.length;
        wake();
      }
    } finally {
      hasEnded = true;
      wake();
    }
  }

  async function* arrived() {
    const buffer = Buffer.allocUnsafeSlow(READ_BYTES);
    for (;;) {
      while (!hasEnded && arrivedBytes - takenBytes < READ_BYTES)
        await new Promise<void>((resolve) => (wake = resolve));
      const wanted = Math.min(READ_BYTES, arrivedBytes - takenBytes);
      if (wanted === 0) return;
      const bytes = readSync(file.fd, buffer, 0, wanted, CONTENT_AT + takenBytes);
      if (bytes === 0) throw new Error(`${folder} gave back less than was written`);
      takenBytes += bytes;
      yield buffer.subarray(0, bytes);
    }
  }

  const compressed = compressContent(arrived());
  const members = compressed.members[Symbol.asyncIterator]();
  async function compressMeanwhile() {
    try {
      while (!hasEnded) {
        const next = await members.next();
        if (next.done === true) return;
        if (compressedBytes + next.value.length > CONTENT_AT + takenBytes)
          throw new Error("compressing made a snapshot grow beyond its file");
        writeAllSync(file, next.value, compressedBytes);
        compressedBytes += next.value.length;
      }
    } catch (error) {
      stop.abort(error);
      throw error;
    }
  }
  async function close() {
    hasEnded = true;
    wake();
    await members.return?.();
    await file.close();
  }

  const results = await Promise.allSettled([receive(), compressMeanwhile()]);
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) {
    await close();
    signal.throwIfAborted();
    throw scratchFailure(folder, failed.reason);
  }
  return {
    sizeBytes: arrivedBytes,
    sha256: () => compressed.raw().sha256,
    estimatedBytes: Math.ceil(arrivedBytes * (compressed.ratio() ?? 1)),
    members: following(readUpTo(file, compressedBytes), { [Symbol.asyncIterator]: () => members }),
    [Symbol.asyncDispose]: close,
  };
}

async function* readUpTo(file: FileHandle, bytes: number): AsyncGenerator<Buffer, void> {
  for (let at = 0; at < bytes;) {
    const buffer = Buffer.allocUnsafeSlow(Math.min(READ_BYTES, bytes - at));
    const { bytesRead } = await file.read(buffer, 0, buffer.length, at);
    if (bytesRead === 0) throw new Error("a snapshot's file gave back less than was written");
    at += bytesRead;
    yield buffer.subarray(0, bytesRead);
  }
}

async function* following(...parts: readonly AsyncIterable<Buffer>[]): AsyncGenerator<Buffer, void> {
  for (const part of parts) yield* part;
}
