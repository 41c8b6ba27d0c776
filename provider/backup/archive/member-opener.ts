import { constants, crc32, createInflateRaw, type InflateRaw, type ZlibReset } from "node:zlib";
import { TRAILER_BYTES, trailerOf } from "./member";

/** Unpacks one member that tells its size after the other, on a thread of libuv's pool. One at a time. */
export interface MemberOpener {
  /** What it holds, in pieces, of all that follows its header. Rejects where it is not exactly one whole member; the opener is of no use then. */
  open(afterHeader: Buffer): Promise<readonly Buffer[]>;
  close(): void;
}

/** Keeps its unpacker, as the maker of members does. */
export function memberOpener(chunkSize: number): MemberOpener {
  // Finishing with each write: what ends too early is an error at once.
  const inflate = createInflateRaw({ chunkSize, flush: constants.Z_FINISH }) as InflateRaw & ZlibReset;
  let pieces: Buffer[] = [];
  let unpackedBytes = 0;
  let mostBytes = 0;
  let fail: (error: Error) => void = () => undefined;
  inflate.on("data", (piece: Buffer) => {
    pieces.push(piece);
    unpackedBytes += piece.length;
    // A few bytes may unpack to a thousand times as many.
    if (unpackedBytes > mostBytes) inflate.destroy(new Error("it holds more than it says"));
  });
  inflate.on("error", (error) => fail(error));
  return {
    open: (afterHeader) =>
      new Promise((resolve, reject) => {
        const told = trailerOf(afterHeader);
        const deflated = afterHeader.subarray(0, afterHeader.length - TRAILER_BYTES);
        const before = inflate.bytesWritten;
        mostBytes = told.sizeBytes;
        unpackedBytes = 0;
        fail = reject;
        inflate.write(deflated, () => {
          // What it failed with is told as an error, before or after this.
          if (inflate.destroyed) return;
          const content = pieces;
          pieces = [];
          const sum = content.reduce((value, piece) => crc32(piece, value), 0);
          if (inflate.bytesWritten - before !== deflated.length)
            reject(new Error("something follows its data"));
          else if (unpackedBytes !== told.sizeBytes || sum !== told.crc32)
            reject(new Error("its checksum or its size is wrong"));
          else {
            inflate.reset();
            resolve(content);
          }
        });
      }),
    close: () => inflate.destroy(),
  };
}
