import { createHash } from "node:crypto";
import { availableParallelism } from "node:os";
import { constants, type ZlibOptions } from "node:zlib";
import { type MemberMaker, memberMaker } from "./member-maker";

/** A part of an archive that comes as whole gzip members already: they pass as they are. */
export interface ReadyMembers {
  readonly members: AsyncIterable<Buffer>;
}

/** Content on its way into gzip members. */
export interface CompressedContent {
  /** The bytes of the members. */
  readonly members: AsyncIterable<Buffer>;
  /** Size and SHA-256 of the bytes before compression: known once `members` has ended, an error before. */
  readonly raw: () => { readonly sizeBytes: number; readonly sha256: string };
  /** To what part of its size it was compressed so far; undefined before the first member is finished. */
  readonly ratio: () => number | undefined;
}

const MEMBER_BYTES = 512 * 1024;
/** Each holds up to a megabyte: what went in and what came out. */
const MOST_IN_FLIGHT = 8;

/** Members that shrink by less are not worth a core's time: those that follow are compressed only if a sample shrinks. */
const WORTHWHILE = 0.95;
const SAMPLES = 4;
const SAMPLE_BYTES = 4 * 1024;

/**
 * An eighth of the usual window: measured a third faster at this level; of snapshots in whose small values there is
 * little to find it makes less, of others up to 4 % more than the usual window does.
 */
const FAST: ZlibOptions = {
  level: constants.Z_BEST_SPEED,
  windowBits: 12,
  memLevel: 9,
  chunkSize: MEMBER_BYTES,
};
const STORED: ZlibOptions = { level: constants.Z_NO_COMPRESSION, chunkSize: MEMBER_BYTES };

/** Where one member is filled and made, again and again. */
interface Bench {
  readonly input: Buffer;
  readonly fast: MemberMaker;
  stored?: MemberMaker;
}

/**
 * Turns bytes into gzip members, as many at a time as there are cores, on the threads of libuv's pool; they come in
 * order, and one after the other they are a gzip file that every reader takes. Takes no more from its source than the
 * members in flight hold, so memory is constant however slowly they are consumed.
 */
export async function* compressMembers(
  source: AsyncIterable<Buffer | ReadyMembers>,
  onMember?: (rawBytes: number, memberBytes: number) => void,
): AsyncGenerator<Buffer, void> {
  // One more would keep every core busy while the next is filled, and a server's answers waiting.
  const limit = Math.min(MOST_IN_FLIGHT, availableParallelism());
  const benches: Bench[] = [];
  const inFlight: { readonly rawBytes: number; readonly member: Promise<readonly Buffer[]> }[] = [];
  let shrinking = true;
  let started = 0;
  let filled = 0;
  // Members come in order, so of one more than are in flight the one that was used longest ago is free.
  const bench = () => (benches[started % (limit + 1)] ??= newBench());

  const start = () => {
    if (filled === 0) return;
    const member = makeMember(bench(), filled, shrinking);
    // Awaited in its turn; a failure before that is not an unhandled one.
    member.catch(() => undefined);
    inFlight.push({ rawBytes: filled, member });
    started++;
    filled = 0;
  };
  async function* finished(leave: number) {
    while (inFlight.length > leave) {
      const [{ rawBytes, member }] = inFlight as [(typeof inFlight)[0]];
      const pieces = await member;
      inFlight.shift();
      const memberBytes = lengthOf(pieces);
      shrinking = memberBytes < rawBytes * WORTHWHILE;
      onMember?.(rawBytes, memberBytes);
      yield* pieces;
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
        const copied = part.copy(bench().input, filled, at);
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
    await Promise.allSettled(inFlight.map(({ member }) => member));
    for (const { fast, stored } of benches) {
      fast.close();
      stored?.close();
    }
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
  let [taken, made] = [0, 0];
  return {
    members: compressMembers(measured(), (rawBytes, memberBytes) => {
      taken += rawBytes;
      made += memberBytes;
    }),
    ratio: () => (taken === 0 ? undefined : made / taken),
    raw: () => {
      if (!ended) throw new Error("the content has not been read to its end");
      return { sizeBytes, sha256: (sha256 ??= hash.digest("hex")) };
    },
  };
}

function newBench(): Bench {
  return {
    input: Buffer.allocUnsafeSlow(MEMBER_BYTES),
    fast: memberMaker(FAST),
  };
}

/** Stored as it is where it isn't `sure` to shrink and a sample doesn't. */
async function makeMember(bench: Bench, bytes: number, sure: boolean): Promise<readonly Buffer[]> {
  const content = bench.input.subarray(0, bytes);
  if (sure || (await sampleShrinks(content, bench.fast))) return bench.fast.make(content);
  return (bench.stored ??= memberMaker(STORED)).make(content);
}

async function sampleShrinks(bytes: Buffer, fast: MemberMaker): Promise<boolean> {
  const apart = Math.floor(bytes.length / SAMPLES);
  const sample = Buffer.concat(
    Array.from({ length: SAMPLES }, (_, i) =>
      bytes.subarray(i * apart, i * apart + Math.min(apart, SAMPLE_BYTES)),
    ),
  );
  return lengthOf(await fast.make(sample)) < sample.length * WORTHWHILE;
}

function lengthOf(pieces: readonly Buffer[]): number {
  return pieces.reduce((sum, { length }) => sum + length, 0);
}
