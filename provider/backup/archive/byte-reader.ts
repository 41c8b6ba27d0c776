/** Takes a stream of bytes apart. */
export interface ByteReader {
  /** The next bytes, at least one and at most so many; undefined at the end. */
  some(most: number): Promise<Buffer | undefined>;
  /** The next bytes, exactly so many, or fewer where the stream ends before. */
  upTo(bytes: number): Promise<Buffer>;
  /** All that is left. */
  all(): AsyncGenerator<Buffer, void>;
}

export function byteReader(source: AsyncIterable<Buffer>): ByteReader {
  const chunks = source[Symbol.asyncIterator]();
  let rest: Buffer = Buffer.alloc(0);

  async function some(most: number): Promise<Buffer | undefined> {
    while (rest.length === 0) {
      const next = await chunks.next();
      if (next.done === true) return undefined;
      rest = next.value;
    }
    const bytes = rest.subarray(0, most);
    rest = rest.subarray(bytes.length);
    return bytes;
  }

  return {
    some,
    async upTo(bytes) {
      const parts: Buffer[] = [];
      let missing = bytes;
      while (missing > 0) {
        const part = await some(missing);
        if (part === undefined) break;
        parts.push(part);
        missing -= part.length;
      }
      return Buffer.concat(parts);
    },
    async *all() {
      for (let bytes = await some(Infinity); bytes !== undefined; bytes = await some(Infinity)) yield bytes;
    },
  };
}
