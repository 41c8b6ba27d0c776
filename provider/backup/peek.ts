import type { Readable } from "node:stream";

/** The first bytes of a stream (fewer where it is shorter), and all of its bytes including those. */
export async function peek(
  stream: Readable,
  bytes: number,
): Promise<{ readonly head: Buffer; readonly content: AsyncIterable<Buffer> }> {
  const chunks = stream[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  const first: Buffer[] = [];
  let read = 0;
  while (read < bytes) {
    const next = await chunks.next();
    if (next.done === true) break;
    first.push(next.value);
    read += next.value.length;
  }
  async function* content() {
    try {
      yield* first;
      for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
    } finally {
      stream.destroy();
    }
  }
  return { head: Buffer.concat(first).subarray(0, bytes), content: content() };
}
