import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";

const CHUNK_BYTES = 256 * 1024;

/**
 * What gzip members, one after the other, unpack to. Every byte must belong to one: zlib itself takes zeros or other
 * bytes after the last member for padding and says nothing. `damaged` makes the error for what is no such file.
 */
export async function* gunzipStream(
  source: AsyncIterable<Buffer>,
  damaged: (why: string) => Error,
): AsyncGenerator<Buffer, void> {
  let takenBytes = 0;
  let sourceEnded = false;
  async function* counted() {
    for await (const chunk of source) {
      takenBytes += chunk.length;
      yield chunk;
    }
    sourceEnded = true;
  }
  const unpacked = createGunzip({ chunkSize: CHUNK_BYTES });
  const fed = pipeline(Readable.from(counted(), { objectMode: false }), unpacked);
  // The same error reaches who reads.
  fed.catch(() => undefined);
  try {
    for await (const chunk of unpacked) yield chunk as Buffer;
    if (!sourceEnded || unpacked.bytesWritten !== takenBytes)
      throw damaged(`bytes that are not gzip follow its data at ${unpacked.bytesWritten}`);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw code?.startsWith("Z_") === true ? damaged(`it is no whole gzip file: ${message}`) : error;
  } finally {
    unpacked.destroy();
  }
}
