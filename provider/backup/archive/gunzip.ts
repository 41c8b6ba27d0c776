import { availableParallelism } from "node:os";
import { byteReader } from "./byte-reader";
import { gunzipStream } from "./gunzip-stream";
import { HEADER_BYTES, memberBytes, TRAILER_BYTES } from "./member";
import { type MemberOpener, memberOpener } from "./member-opener";

const CHUNK_BYTES = 512 * 1024;
/** Ours are half of it at most. What says that it is larger goes through a stream, in constant memory. */
const LARGEST_MEMBER_BYTES = 1024 * 1024;
const MOST_IN_FLIGHT = 8;

/**
 * What gzip members, one after the other, unpack to. Those that tell their size are unpacked as many at a time as there
 * are cores; from the first one on that doesn't, it is one stream. Every byte must belong to a member. Memory is
 * constant. `damaged` makes the error for what is no such file.
 */
export async function* gunzip(
  source: AsyncIterable<Buffer>,
  damaged: (why: string) => Error,
): AsyncGenerator<Buffer, void> {
  // Beyond the cores, one that waits for its turn and one whose content is being taken.
  const limit = Math.min(MOST_IN_FLIGHT, availableParallelism() + 2);
  const reader = byteReader(source);
  const openers: MemberOpener[] = [];
  const inFlight: Promise<readonly Buffer[]>[] = [];
  let started = 0;
  let takenBytes = 0;
  async function* finished(leave: number) {
    while (inFlight.length > leave) {
      const content = await inFlight[0];
      void inFlight.shift();
      if (content !== undefined) yield* content;
    }
  }

  try {
    for (;;) {
      const header = await reader.upTo(HEADER_BYTES);
      const bytes = memberBytes(header);
      if (bytes === undefined || bytes > LARGEST_MEMBER_BYTES) {
        yield* finished(0);
        if (header.length === 0) return;
        yield* gunzipStream(following(header, reader.all()), damaged);
        return;
      }
      const rest = await reader.upTo(Math.max(0, bytes - HEADER_BYTES));
      const at = takenBytes;
      takenBytes += bytes;
      const wrong = (why: string) =>
        damaged(`it is no whole gzip file: its part at ${at} is damaged: ${why}`);
      if (rest.length < bytes - HEADER_BYTES || rest.length <= TRAILER_BYTES) {
        yield* finished(0);
        throw wrong("it is cut short");
      }
      // Contents come in order, so the one that was used longest ago is free.
      const opener = (openers[started++ % limit] ??= memberOpener(CHUNK_BYTES));
      const content = opener.open(rest).catch((error: unknown) => {
        throw wrong(error instanceof Error ? error.message : String(error));
      });
      // Awaited in its turn; a failure before that is not an unhandled one.
      content.catch(() => undefined);
      inFlight.push(content);
      yield* finished(limit - 1);
    }
  } finally {
    await Promise.allSettled(inFlight);
    for (const opener of openers) opener.close();
  }
}

async function* following(first: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer, void> {
  yield first;
  yield* rest;
}
