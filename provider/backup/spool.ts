import { mkdtemp, open, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Readable } from "node:stream";

export interface Spooled extends AsyncDisposable {
  readonly sizeBytes: number;
  readonly stream: Readable;
}

/**
 * Puts a stream of unknown length into a temporary file, because a tar names a size before the content. The file has
 * no name any more by the time it holds data: whatever happens to this process, nothing is left of it.
 */
export async function spool(source: Readable, signal: AbortSignal): Promise<Spooled> {
  const folder = await mkdtemp(join(tmpdir(), "redis-addon-spool-"));
  const handle = await open(join(folder, "snapshot"), "wx+", 0o600);
  try {
    await rm(folder, { recursive: true });
    await handle.writeFile(source, { signal });
    const { size } = await handle.stat();
    return {
      sizeBytes: size,
      stream: handle.createReadStream({ start: 0, autoClose: false }),
      [Symbol.asyncDispose]: () => handle.close(),
    };
  } catch (error) {
    await handle.close();
    throw error;
  }
}
