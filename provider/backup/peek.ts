/** The first bytes of a source (fewer where it is shorter), and all of its bytes including those. */
export async function peek(
  source: AsyncIterable<Buffer>,
  bytes: number,
): Promise<{ readonly head: Buffer; readonly content: AsyncIterable<Buffer> }> {
  const chunks = source[Symbol.asyncIterator]();
  const first: Buffer[] = [];
  let read = 0;
  while (read < bytes) {
    const next = await chunks.next();
    if (next.done === true) break;
    // A chunk is good until the next is asked for.
    first.push(Buffer.from(next.value));
    read += next.value.length;
  }
  async function* content() {
    try {
      yield* first;
      for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) yield next.value;
    } finally {
      await chunks.return?.();
    }
  }
  return { head: Buffer.concat(first).subarray(0, bytes), content: content() };
}
