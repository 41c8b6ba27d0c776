import type { FileHandle } from "node:fs/promises";

export interface BacklogOptions {
  /** Where the bytes wait that memory doesn't take; nothing else is in it. */
  readonly file: FileHandle;
  /** The most that waits there, 0 for nothing: a source that is further ahead has to wait itself. */
  readonly mostBytes: number;
  /** How many wait in memory, and how many are written down at a time. Absent: 8 MiB and 1 MiB. */
  readonly memoryBytes?: number;
  readonly batchBytes?: number;
}

const MIB = 1024 * 1024;

/**
 * The bytes of a source, in order, while the source itself is read as fast as it comes, however slowly these are taken:
 * a leader's fork lives, and costs it memory, until we have read its snapshot. A chunk is good until the next is asked
 * for. `onTaken` is told how many bytes there are once the source has ended, before the last of them are given.
 */
export async function* backlog(
  source: AsyncIterable<Buffer>,
  { file, mostBytes, memoryBytes = 8 * MIB, batchBytes = MIB }: BacklogOptions,
  onTaken: (bytes: number) => void = () => undefined,
): AsyncGenerator<Buffer, void> {
  const inMemory: Buffer[] = [];
  let inMemoryBytes = 0;
  // Positions in all that was ever written; the file is a ring.
  let writtenTo = 0;
  let readTo = 0;
  const state: { ended: boolean; left: boolean; failure?: { readonly cause: unknown } } = {
    ended: false,
    left: false,
  };
  let wake = Promise.withResolvers<void>();
  const changed = () => {
    wake.resolve();
    wake = Promise.withResolvers();
  };

  /** Whatever is in the file comes before what comes now. */
  const fitsInMemory = () => writtenTo === readTo && inMemoryBytes < memoryBytes;
  const remember = (chunks: readonly Buffer[]) => {
    for (const chunk of chunks) inMemoryBytes += chunk.length;
    inMemory.push(...chunks);
    changed();
  };
  const writeDown = async (chunks: readonly Buffer[]) => {
    let bytes = Buffer.concat(chunks);
    while (bytes.length > 0 && !state.left) {
      if (fitsInMemory()) return remember([bytes]);
      const room = mostBytes - (writtenTo - readTo);
      if (room === 0) {
        await wake.promise;
        continue;
      }
      const at = writtenTo % mostBytes;
      const part = bytes.subarray(0, Math.min(room, mostBytes - at));
      const { bytesWritten } = await file.write(part, 0, part.length, at);
      bytes = bytes.subarray(bytesWritten);
      writtenTo += bytesWritten;
      changed();
    }
  };
  const take = async () => {
    let batch: Buffer[] = [];
    let bytesInBatch = 0;
    let takenBytes = 0;
    for await (const chunk of source) {
      if (state.left) return;
      batch.push(chunk);
      bytesInBatch += chunk.length;
      takenBytes += chunk.length;
      if (fitsInMemory()) remember(batch);
      else if (bytesInBatch >= batchBytes) await writeDown(batch);
      else continue;
      [batch, bytesInBatch] = [[], 0];
    }
    onTaken(takenBytes);
    await writeDown(batch);
  };
  const takeAll = async () => {
    try {
      await take();
      state.ended = true;
    } catch (cause) {
      state.failure = { cause };
    }
    changed();
  };

  void takeAll();
  const buffer = Buffer.allocUnsafeSlow(batchBytes);
  try {
    for (;;) {
      // What was taken before a failure is of no use to anybody.
      if (state.failure !== undefined) throw state.failure.cause;
      const chunk = inMemory.shift();
      if (chunk !== undefined) {
        inMemoryBytes -= chunk.length;
        changed();
        yield chunk;
      } else if (readTo < writtenTo) {
        const at = readTo % mostBytes;
        const most = Math.min(buffer.length, writtenTo - readTo, mostBytes - at);
        const { bytesRead } = await file.read(buffer, 0, most, at);
        if (bytesRead === 0) throw new Error("bytes that were written down are not there any more");
        readTo += bytesRead;
        changed();
        yield buffer.subarray(0, bytesRead);
      } else if (state.ended) {
        return;
      } else {
        await wake.promise;
      }
    }
  } finally {
    state.left = true;
    changed();
  }
}
