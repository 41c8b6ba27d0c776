import { createHash } from "node:crypto";
import type { Readable } from "node:stream";
import type { Manifest } from "../../core/manifest";
import { untilAborted } from "../archive/until-aborted";

/** Whether the stored bytes are those that were written; if not, how they differ. All that can be told without a key. */
export async function checkStored(
  stored: Readable,
  { archive }: Manifest,
  signal: AbortSignal,
  onProgress: (doneBytes: number) => void,
): Promise<string | undefined> {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  try {
    for await (const chunk of untilAborted<Buffer>(stored, signal)) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      onProgress(sizeBytes);
      if (sizeBytes > archive.sizeBytes) break;
    }
  } finally {
    stored.destroy();
  }
  if (sizeBytes < archive.sizeBytes) return `it ends after ${sizeBytes} of ${archive.sizeBytes} bytes`;
  if (sizeBytes > archive.sizeBytes) return `it is longer than the ${archive.sizeBytes} bytes written`;
  return hash.digest("hex") === archive.sha256 ? undefined : "its bytes are not those that were written";
}
