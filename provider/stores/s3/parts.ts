import type { Readable } from "node:stream";

const MIB = 1024 * 1024;
/** The least that S3 takes. */
const SMALLEST_BYTES = 5 * MIB;
/** S3 takes 10,000 parts; the estimate may be a little too low. */
const PLANNED_PARTS = 9000;
/** Beyond the plan parts grow, so that an estimate that was far too low doesn't end hours of work. */
const GROW_EVERY = 200;
/** What all parts in memory may take together, as long as one alone does not take more. */
const BUDGET_BYTES = 16 * MIB;
const MOST_AT_ONCE = 3;

/** How many bytes each part has, but for the last. Equal within the plan: some stores want that. */
export function partSizes(estimateBytes: number | undefined): (partNumber: number) => number {
  const needed = Math.ceil((estimateBytes ?? 0) / PLANNED_PARTS / MIB) * MIB;
  const planned = Math.max(SMALLEST_BYTES, needed);
  return (partNumber) =>
    partNumber <= PLANNED_PARTS
      ? planned
      : planned * 2 ** Math.ceil((partNumber - PLANNED_PARTS) / GROW_EVERY);
}

/** How many parts of a size may be in memory: being filled or on their way. */
export function partsAtOnce(partBytes: number): number {
  return Math.max(1, Math.min(MOST_AT_ONCE, Math.floor(BUDGET_BYTES / partBytes)));
}

/** The buffers that parts are filled into, each used again once its part is sent. */
export interface PartMemory {
  /** Waits until there is room for a part; throws the signal's reason. */
  take(partNumber: number): Promise<Buffer>;
  /** A part's bytes are needed until `sent` settles, which must not reject. */
  busy(partNumber: number, sent: Promise<void>): void;
  /** All parts are sent, or given up. */
  idle(): Promise<void>;
}

export function partMemory(estimateBytes: number | undefined, signal: AbortSignal): PartMemory {
  const sizeOf = partSizes(estimateBytes);
  const slotOf = (partNumber: number) => partNumber % partsAtOnce(sizeOf(partNumber));
  const buffers = new Map<number, Buffer>();
  const underWay = new Map<number, Promise<void>>();
  return {
    async take(partNumber) {
      const slot = slotOf(partNumber);
      await underWay.get(slot);
      signal.throwIfAborted();
      const used = buffers.get(slot);
      if (used?.length === sizeOf(partNumber)) return used;
      const fresh = Buffer.allocUnsafe(sizeOf(partNumber));
      buffers.set(slot, fresh);
      return fresh;
    },
    busy: (partNumber, sent) => void underWay.set(slotOf(partNumber), sent),
    idle: async () => void (await Promise.all(underWay.values())),
  };
}

export interface Part {
  /** From 1. */
  readonly partNumber: number;
  readonly bytes: Buffer;
  readonly isLast: boolean;
}

/**
 * Cuts a source into parts; an empty source is one empty part. A part's bytes are valid until the buffer that it was
 * written into is given out again.
 *
 * @param buffer the memory to fill for a part
 */
export async function* inParts(
  source: Readable,
  buffer: (partNumber: number) => Promise<Buffer>,
): AsyncGenerator<Part, void, void> {
  const chunks = (source as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]();
  const next = async () => {
    for (;;) {
      const { done, value } = await chunks.next();
      if (done === true) return undefined;
      if (value.length > 0) return value;
    }
  };
  let chunk = await next();
  for (let partNumber = 1; ; partNumber++) {
    const memory = await buffer(partNumber);
    let filled = 0;
    while (chunk !== undefined && filled < memory.length) {
      const taken: number = Math.min(chunk.length, memory.length - filled);
      memory.set(chunk.subarray(0, taken), filled);
      filled += taken;
      chunk = taken < chunk.length ? chunk.subarray(taken) : await next();
    }
    const isLast = chunk === undefined;
    yield { partNumber, bytes: memory.subarray(0, filled), isLast };
    if (isLast) return;
  }
}
