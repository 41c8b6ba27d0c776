import { open } from "node:fs/promises";
import { Readable } from "node:stream";
import { fileFailure } from "./file-errors";

const CHUNK_BYTES = 256 * 1024;

/** A stream of a file: all of it, as long as it was at the beginning, or an error. */
export async function getFile(path: string, signal: AbortSignal): Promise<Readable> {
  signal.throwIfAborted();
  let handle;
  try {
    handle = await open(path, "r");
  } catch (error) {
    throw fileFailure(error, "read", path);
  }
  const file = handle;
  async function* chunks() {
    try {
      const { size } = await file.stat();
      for (let position = 0; position < size;) {
        signal.throwIfAborted();
        const buffer = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, size - position));
        const { bytesRead } = await file.read(buffer, 0, buffer.length, position);
        if (bytesRead === 0) throw new Error(`it ended after ${position} of ${size} bytes`);
        position += bytesRead;
        yield buffer.subarray(0, bytesRead);
      }
    } catch (error) {
      signal.throwIfAborted();
      throw fileFailure(error, "read", path);
    } finally {
      await file.close();
    }
  }
  const stream = Readable.from(chunks(), { objectMode: false });
  // A generator that was never started runs no finally.
  stream.once("close", () => void file.close().catch(() => undefined));
  return stream;
}
