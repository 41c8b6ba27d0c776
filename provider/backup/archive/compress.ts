import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import { promisify } from "node:util";
import { constants, gzip, type ZlibOptions } from "node:zlib";

/** A part of an archive that comes as whole gzip members already: they pass as they are. */
export interface ReadyMembers {
  readonly members: AsyncIterable<Buffer>;
}

/** Content on its way into gzip members. */
export interface CompressedContent {
  readonly members: AsyncIterable<Buffer>;
  /** Size and SHA-256 of the bytes before compression: known once `members` has ended, an error before. */
  readonly raw: () => { readonly sizeBytes: number; readonly sha256: string };
}

const MEMBER_BYTES = 512 * 1024;
/** Each holds up to a megabyte: what went in and what came out. */
const MOST_IN_FLIGHT = 8;

/** Members that shrink by less are not worth a core's time: those that follow are compressed only if a sample shrinks. */
const WORTHWHILE = 0.95;
const SAMPLES = 4;
const SAMPLE_BYTES = 4 * 1024;

/** A quarter of the usual window: measured a quarter faster at this level, and a snapshot is as small as pigz -1 makes it. */
const FAST: ZlibOptions = { level: constants.Z_BEST_SPEED, windowBits: 13, memLevel: 9 };

const gzipAsync = promisify(gzip);

/**
 * Turns bytes into gzip members, as many at a time as there are cores, on the threads of libuv's pool; they come in
 * order, and one after the other they are a gzip file that every reader takes. Takes no more from its source than the
 * members in flight hold, so memory is constant however slowly they are consumed.
 */
export async function* compressMembers(
  source: AsyncIterable<Buffer | ReadyMembers>,
): AsyncGenerator<Buffer, void> {
  // One more than there are cores, so that none is idle while the next is filled.
  const limit = Math.min(MOST_IN_FLIGHT, availableParallelism() + 1);
  const inFlight: { readonly rawBytes: number; readonly compressed: Promise<Buffer> }[] = [];
  const spare: Buffer[] = [];
  let shrinking = true;
  let member: Buffer = Buffer.allocUnsafeSlow(MEMBER_BYTES);
  let filled = 0;

  const start = () => {
    if (filled === 0) return;
    const buffer = member;
    const compressed = compress(buffer.subarray(0, filled), shrinking).finally(() => spare.push(buffer));
    // Awaited in its turn; a failure before that is not an unhandled one.
    compressed.catch(() => undefined);
    inFlight.push({ rawBytes: filled, compressed });
    member = spare.pop() ?? Buffer.allocUnsafeSlow(MEMBER_BYTES);
    filled = 0;
  };
  async function* finished(leave: number) {
    while (inFlight.length > leave) {
      const [{ rawBytes, compressed }] = inFlight as [(typeof inFlight)[0]];
      const done = await compressed;
      inFlight.shift();
      shrinking = done.length < rawBytes * WORTHWHILE;
      yield done;
    }
  }

  try {
    for await (const part of source) {
      if (!Buffer.isBuffer(part)) {
        start();
        yield* finished(0);
        yield* part.members;
        continue;
      }
      for (let at = 0; at < part.length;) {
        const copied = part.copy(member, filled, at);
        filled += copied;
        at += copied;
        if (filled < MEMBER_BYTES) continue;
        start();
        yield* finished(limit - 1);
      }
    }
    start();
    yield* finished(0);
  } finally {
    await Promise.allSettled(inFlight.map(({ compressed }) => compressed));
  }
}

/** Compresses one content by itself, and hashes and counts it on the way. */
export function compressContent(content: AsyncIterable<Buffer>): CompressedContent {
  const hash = createHash("sha256");
  let sizeBytes = 0;
  let ended = false;
  async function* measured() {
    for await (const chunk of content) {
      sizeBytes += chunk.length;
      hash.update(chunk);
      yield chunk;
    }
    ended = true;
  }
  let sha256: string | undefined;
  return {
    members: compressMembers(measured()),
    raw: () => {
      if (!ended) throw new Error("the content has not been read to its end");
      return { sizeBytes, sha256: (sha256 ??= hash.digest("hex")) };
    },
  };
}

/** One gzip member; stored as it is where `sure` is false and a sample doesn't shrink. */
async function compress(bytes: Buffer, sure: boolean): Promise<Buffer> {
  const worthwhile = sure || (await sampleShrinks(bytes));
  return gzipAsync(
    bytes,
    worthwhile
      ? { ...FAST, chunkSize: MEMBER_BYTES / 2 }
      : { level: constants.Z_NO_COMPRESSION, chunkSize: MEMBER_BYTES + 1024 },
  );
}

async function sampleShrinks(bytes: Buffer): Promise<boolean> {
  const apart = Math.floor(bytes.length / SAMPLES);
  const sample = Buffer.concat(
    Array.from({ length: SAMPLES }, (_, i) =>
      bytes.subarray(i * apart, i * apart + Math.min(apart, SAMPLE_BYTES)),
    ),
  );
  const compressed = await gzipAsync(sample, { ...FAST, chunkSize: SAMPLES * SAMPLE_BYTES });
  return compressed.length < sample.length * WORTHWHILE;
}
