import { constants, createGzip, type Gzip, type ZlibOptions, type ZlibReset } from "node:zlib";

/** Makes one gzip member after the other, on a thread of libuv's pool. One at a time. */
export interface MemberMaker {
  /** The member of these bytes, in pieces. They must not change meanwhile. */
  make(bytes: Buffer): Promise<readonly Buffer[]>;
  close(): void;
}

/**
 * Keeps the compressor and what is left of its last buffer: a new compressor for each member, and its buffers, make so
 * much garbage that collecting it takes a sixth of a backup's time.
 */
export function memberMaker(options: ZlibOptions): MemberMaker {
  // Every write is a whole member.
  const gzip = createGzip({ ...options, flush: constants.Z_FINISH }) as Gzip & ZlibReset;
  let pieces: Buffer[] = [];
  gzip.on("data", (piece: Buffer) => pieces.push(piece));
  return {
    make: (bytes) =>
      new Promise((resolve, reject) => {
        const onError = (error: Error) => reject(error);
        gzip.once("error", onError);
        gzip.write(bytes, () => {
          gzip.off("error", onError);
          const member = pieces;
          pieces = [];
          gzip.reset();
          resolve(member);
        });
      }),
    close: () => gzip.destroy(),
  };
}
