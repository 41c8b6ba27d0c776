import { posix } from "node:path";
import type { Readable } from "node:stream";
import type { S3Destination } from "../../core/s3-destination";
import { get } from "./get";
import { openSession, type S3StoreOptions } from "./open-session";

/** A stream of the one object whose key is this destination's prefix. Fails with `not-found`. */
export async function openS3Object(
  destination: S3Destination,
  options: S3StoreOptions,
  signal: AbortSignal,
): Promise<Readable> {
  const folder = posix.dirname(destination.prefix);
  const session = await openSession({ ...destination, prefix: folder === "." ? "" : folder }, options);
  return get(session, posix.basename(destination.prefix), signal);
}
