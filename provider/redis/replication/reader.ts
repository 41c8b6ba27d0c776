/** Reads lines and counted bytes from a connection, however the network split them. */
export interface ReplyReader {
  /** The next line, without its CRLF (or bare LF); undefined where the connection ended first. */
  line(): Promise<string | undefined>;
  /**
   * Whatever comes next, at most `limit` bytes, as soon as there are some; undefined once the connection ended. They
   * are good until the next are asked for.
   */
  some(limit: number): Promise<Buffer | undefined>;
  /** Gives back what was read too much. */
  unread(bytes: Buffer): void;
}

/** Longer than any reply of a handshake: a peer that sends this much without a line break is no Redis. */
const LONGEST_LINE = 64 * 1024;

/** What came is nothing that a Redis says. */
export class NoReply extends Error {
  constructor(readonly line = "") {
    super("its answer is no Redis reply");
  }
}

/** A chunk of the source need be good only until the next is asked for. */
export function replyReader(source: AsyncIterator<Buffer>): ReplyReader {
  let pending: Buffer = Buffer.alloc(0);

  async function more(): Promise<Buffer | undefined> {
    for (;;) {
      const next = await source.next();
      if (next.done === true) return undefined;
      if (next.value.length > 0) return next.value;
    }
  }

  return {
    async line() {
      for (;;) {
        const end = pending.indexOf(10);
        if (end >= 0) {
          const text = pending.toString("latin1", 0, end).replace(/\r$/, "");
          pending = pending.subarray(end + 1);
          return text;
        }
        if (pending.length > LONGEST_LINE) throw new NoReply();
        // What comes next may come where these bytes are now.
        const begun = Buffer.from(pending);
        const chunk = await more();
        if (chunk === undefined) return undefined;
        pending = begun.length === 0 ? chunk : Buffer.concat([begun, chunk]);
      }
    },
    async some(limit) {
      if (pending.length === 0) {
        const chunk = await more();
        if (chunk === undefined) return undefined;
        pending = chunk;
      }
      const taken = pending.subarray(0, limit);
      pending = pending.subarray(taken.length);
      return taken;
    },
    unread(bytes) {
      pending = pending.length === 0 ? bytes : Buffer.concat([bytes, pending]);
    },
  };
}

/** How the leader announces the snapshot: its size, or a mark that it will end with. */
export type SnapshotHeader =
  { readonly kind: "sized"; readonly sizeBytes: number } | { readonly kind: "marked"; readonly mark: Buffer };

const MARK_BYTES = 40;

/** The line before a snapshot: `$1234` or `$EOF:<40 characters>`; undefined for any other. */
export function parseSnapshotHeader(line: string): SnapshotHeader | undefined {
  const size = /^\$(\d{1,15})$/.exec(line)?.[1];
  if (size !== undefined) return { kind: "sized", sizeBytes: Number(size) };
  const mark = /^\$EOF:(.+)$/.exec(line)?.[1];
  if (mark?.length === MARK_BYTES) return { kind: "marked", mark: Buffer.from(mark, "latin1") };
  return undefined;
}

/** The snapshot's bytes, exactly, each chunk good until the next is asked for; throws `cutShort(bytes so far)` where the connection ends before they do. */
export async function* snapshotBytes(
  reader: ReplyReader,
  header: SnapshotHeader,
  cutShort: (doneBytes: number) => Error,
): AsyncGenerator<Buffer, void> {
  if (header.kind === "sized") yield* sized(reader, header.sizeBytes, cutShort);
  else yield* marked(reader, header.mark, cutShort);
}

async function* sized(reader: ReplyReader, sizeBytes: number, cutShort: (doneBytes: number) => Error) {
  for (let done = 0; done < sizeBytes;) {
    const chunk = await reader.some(sizeBytes - done);
    if (chunk === undefined) throw cutShort(done);
    done += chunk.length;
    yield chunk;
  }
}

/** The mark is 40 random characters, chosen anew each time: the first occurrence is the end. */
async function* marked(reader: ReplyReader, mark: Buffer, cutShort: (doneBytes: number) => Error) {
  // What may be the beginning of the mark, then what came after it; one buffer for all of it.
  let joined = Buffer.alloc(0);
  let heldBytes = 0;
  let done = 0;
  for (;;) {
    const chunk = await reader.some(Number.MAX_SAFE_INTEGER);
    if (chunk === undefined) throw cutShort(done);
    const length = heldBytes + chunk.length;
    if (joined.length < length) joined = Buffer.concat([joined.subarray(0, heldBytes)], length);
    chunk.copy(joined, heldBytes);
    const bytes = joined.subarray(0, length);
    const end = bytes.indexOf(mark);
    // Without the mark all but its longest possible beginning is certain to be data.
    const certain = end >= 0 ? end : Math.max(0, length - (mark.length - 1));
    if (certain > 0) yield bytes.subarray(0, certain);
    done += certain;
    if (end >= 0) {
      reader.unread(Buffer.from(bytes.subarray(end + mark.length)));
      return;
    }
    joined.copyWithin(0, certain, length);
    heldBytes = length - certain;
  }
}
