import { type Destination, parseDestination } from "../core/destination";
import { Failure } from "../core/errors";
import type { StoreCredentials } from "../core/store-credentials";
import type { Store } from "./contract";

/**
 * Opens the store that a destination's URL names; its scheme chooses the driver. A folder needs no credentials; S3
 * takes those of the standard chain (environment, profiles, the machine's role) where none are given.
 */
export async function openStore(url: string, credentials?: StoreCredentials): Promise<Store> {
  const destination = destinationOf(url);
  switch (destination.kind) {
    case "file": {
      const { openFileStore } = await import("./file.js");
      return openFileStore(destination.folder);
    }
    case "s3": {
      // The SDK costs some 100 ms and 30 MB: only who stores there pays.
      const { openS3Store } = await import("./s3/open.js");
      return openS3Store(destination, credentials === undefined ? {} : { credentials });
    }
  }
}

export function destinationOf(url: string): Destination {
  const parsed = parseDestination(url);
  if (parsed.kind !== "fault") return parsed;
  const { cause, hint } = parsed;
  throw new Failure({
    code: "unsupported-destination",
    operation: "open",
    subject: "the destination",
    cause,
    hint,
  });
}
