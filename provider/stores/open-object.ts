import { basename } from "node:path";
import type { Readable } from "node:stream";
import { pathToFileURL } from "node:url";
import { s3Url } from "../core/s3-destination";
import type { StoreCredentials } from "../core/store-credentials";
import { destinationOf } from "./open";

/** One object, wherever it lies: its name need not be one that a store of ours gives. */
export interface OpenedObject {
  /** The last part of its path. */
  readonly name: string;
  /** Without credentials, and without where a bucket answers. */
  readonly url: string;
  readonly content: Readable;
}

/**
 * Opens the file or the object of a bucket that a URL names, spelt as a destination is. Fails with
 * `unsupported-destination`, or with `not-found`; its stream fails rather than end early.
 */
export async function openObject(
  url: string,
  credentials: StoreCredentials | undefined,
  signal: AbortSignal,
): Promise<OpenedObject> {
  const place = destinationOf(url);
  switch (place.kind) {
    case "file": {
      const { getFile } = await import("./file-get.js");
      const content = await getFile(place.folder, signal);
      return { name: basename(place.folder), url: pathToFileURL(place.folder).href, content };
    }
    case "s3": {
      const { openS3Object } = await import("./s3/open-object.js");
      const content = await openS3Object(place, credentials === undefined ? {} : { credentials }, signal);
      return { name: basename(place.prefix), url: s3Url(place), content };
    }
  }
}
