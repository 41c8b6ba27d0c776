import { createHash } from "node:crypto";
import type { Manifest } from "../core/manifest";
import type { Store } from "../stores/contract";
import { archiveFailure } from "./archive/damage";
import { untilAborted } from "./archive/until-aborted";

/**
 * A stored archive's bytes, compared with its manifest on the way. The last of them come only once all of them agree, so
 * that who counts what arrives has never a whole archive of other bytes. Fails with `archive-truncated` and
 * `archive-damaged`, or as the store does.
 */
export async function* archiveBytes(
  store: Store,
  catalogKey: string,
  { name, sizeBytes, sha256 }: Manifest["archive"],
  signal: AbortSignal,
): AsyncGenerator<Buffer, void> {
  const stored = await store.get(`${catalogKey}/${name}`, signal);
  // Left early it says that it was aborted, to nobody.
  stored.on("error", () => undefined);
  const hash = createHash("sha256");
  let doneBytes = 0;
  let last: Buffer | undefined;
  try {
    for await (const chunk of untilAborted<Buffer>(stored, signal)) {
      doneBytes += chunk.length;
      if (doneBytes > sizeBytes) break;
      hash.update(chunk);
      if (last !== undefined) yield last;
      last = chunk;
    }
    if (doneBytes < sizeBytes)
      throw archiveFailure("archive-truncated", name, `it ends after ${doneBytes} of ${sizeBytes} bytes`);
    if (doneBytes > sizeBytes || hash.digest("hex") !== sha256)
      throw archiveFailure("archive-damaged", name, "its bytes are not those that were written");
    if (last !== undefined) yield last;
  } finally {
    stored.destroy();
  }
}
