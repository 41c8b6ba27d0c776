import { Failure } from "../core/errors";
import type { StoreCredentials } from "../core/store-credentials";
import type { Store } from "./contract";

/** Opens the store that a destination's URL names; the scheme chooses the driver. */
export async function openStore(url: string, _credentials?: StoreCredentials): Promise<Store> {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(url)?.[1]?.toLowerCase();
  switch (scheme) {
    case "file": {
      const { openFileStore } = await import("./file.js");
      return openFileStore(url);
    }
    default:
      throw new Failure({
        code: "unsupported-destination",
        operation: "open",
        // Whatever follows an unknown scheme may hold credentials.
        subject: scheme === undefined ? "the destination" : `the ${scheme}: destination`,
        cause: scheme === undefined ? "it is no URL" : `${scheme}: is not supported`,
        hint: "Supported is file:///<absolute folder>, such as file:///var/backups/redis",
      });
  }
}
