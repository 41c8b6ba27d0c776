import {
  constants,
  crc32,
  createDeflateRaw,
  type DeflateRaw,
  type ZlibOptions,
  type ZlibReset,
} from "node:zlib";
import { wrapping } from "./member";

/** Makes one gzip member after the other, on a thread of libuv's pool. One at a time. */
export interface MemberMaker {
  /** The member of these bytes, in pieces. They must not change meanwhile. */
  make(bytes: Buffer): Promise<readonly Buffer[]>;
  close(): void;
}

/**
 * What a thread compresses in one turn, about a millisecond and a half: only between two turns does a kernel with lazy
 * preemption let a server have its core before the next tick, which may be 4 ms away.
 */
const TURN_BYTES = 160 * 1024;

/**
 * Keeps the compressor and what is left of its last buffer: a new compressor for each member, and its buffers, make so
 * much garbage that collecting it takes a sixth of a backup's time.
 */
export function memberMaker(options: ZlibOptions): MemberMaker {
  const deflate = createDeflateRaw(options) as DeflateRaw & ZlibReset;
  let pieces: Buffer[] = [];
  deflate.on("data", (piece: Buffer) => pieces.push(piece));
  return {
    make: (bytes) =>
      new Promise((resolve, reject) => {
        const onError = (error: Error) => reject(error);
        deflate.once("error", onError);
        for (let at = 0; at < bytes.length; at += TURN_BYTES)
          deflate.write(bytes.subarray(at, at + TURN_BYTES));
        deflate.flush(constants.Z_FINISH, () => {
          deflate.off("error", onError);
          const deflated = pieces;
          pieces = [];
          deflate.reset();
          const deflatedBytes = deflated.reduce((sum, { length }) => sum + length, 0);
          const content = { crc32: crc32(bytes), sizeBytes: bytes.length };
          const { header, trailer } = wrapping(deflatedBytes, content);
          resolve([header, ...deflated, trailer]);
        });
      }),
    close: () => deflate.destroy(),
  };
}
