import type { Transform } from "node:stream";
import { constants, createGzip } from "node:zlib";

/** Turns a tar's bytes into those of a .tar.gz. Whatever does this may write several gzip members: every reader takes them. */
export function compressor(): Transform {
  return createGzip({ level: constants.Z_BEST_SPEED, chunkSize: 256 * 1024 });
}
