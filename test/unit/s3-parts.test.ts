import { Readable } from "node:stream";
import fc from "fast-check";
import { expect, test } from "vitest";
import { inParts, partMemory, partsAtOnce, partSizes } from "../../provider/stores/s3/parts";

const MIB = 1024 * 1024;

test("a source comes out in parts of the sizes asked for, whatever pieces it comes in", async () => {
  const piecesOf = fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 20 });
  const sizes = fc.array(fc.integer({ min: 1, max: 30 }), { minLength: 1, maxLength: 5 });
  await fc.assert(
    fc.asyncProperty(piecesOf, sizes, async (pieces, sizes) => {
      const sizeOf = (partNumber: number) => sizes[partNumber % sizes.length] ?? 1;
      const whole = Buffer.concat(pieces);
      const parts = [];
      const source = Readable.from(pieces.map((piece) => Buffer.from(piece)));
      for await (const part of inParts(source, async (number) => Buffer.alloc(sizeOf(number))))
        parts.push(part);
      expect(Buffer.concat(parts.map(({ bytes }) => bytes)).equals(whole)).toBe(true);
      expect(parts.map(({ partNumber }) => partNumber)).toEqual(parts.map((_, index) => index + 1));
      expect(parts.map(({ isLast }) => isLast)).toEqual(parts.map((_, index) => index === parts.length - 1));
      for (const { partNumber, bytes } of parts.slice(0, -1)) expect(bytes.length).toBe(sizeOf(partNumber));
      // S3 refuses an upload without parts, and an empty part after others.
      if (whole.length > 0) expect(parts.at(-1)?.bytes.length).toBeGreaterThan(0);
      else expect(parts).toHaveLength(1);
    }),
  );
});

test("parts are within S3's limits at any size, equal within the plan, and few in memory", () => {
  fc.assert(
    fc.property(fc.double({ min: 0, max: 48 * 1024 ** 4, noNaN: true }), (estimateBytes) => {
      const sizeOf = partSizes(estimateBytes);
      expect(sizeOf(1)).toBeGreaterThanOrEqual(5 * MIB);
      expect(sizeOf(9000)).toBe(sizeOf(1));
      expect(sizeOf(1) * 9000).toBeGreaterThanOrEqual(estimateBytes);
      // Twice what was estimated still fits into 10,000 parts.
      let wholeBytes = 9000 * sizeOf(1);
      for (let partNumber = 9001; partNumber <= 10_000; partNumber++) wholeBytes += sizeOf(partNumber);
      expect(wholeBytes).toBeGreaterThan(2 * estimateBytes);
      const inMemory = partsAtOnce(sizeOf(1)) * sizeOf(1);
      expect(inMemory).toBeLessThanOrEqual(Math.max(16 * MIB, sizeOf(1)));
    }),
  );
  expect(partsAtOnce(partSizes(undefined)(1))).toBe(3);
});

test("a part's memory is given out again only once that part is sent", async () => {
  const memory = partMemory(undefined, new AbortController().signal);
  const sent = Promise.withResolvers<void>();
  const first = await memory.take(1);
  memory.busy(1, sent.promise);
  const others = [await memory.take(2), await memory.take(3)];
  for (const partNumber of [2, 3]) memory.busy(partNumber, Promise.resolve());
  let given: Buffer | undefined;
  const fourth = memory.take(4).then((buffer) => (given = buffer));
  await memory.take(2);
  expect(given).toBeUndefined();
  sent.resolve();
  expect(await fourth).toBe(first);
  expect(others).not.toContain(first);
});

test("nobody waits for memory once all is given up", async () => {
  const abort = new AbortController();
  const memory = partMemory(undefined, abort.signal);
  const sent = Promise.withResolvers<void>();
  await memory.take(1);
  memory.busy(1, sent.promise);
  const fourth = memory.take(4);
  abort.abort(new Error("given up"));
  sent.resolve();
  await expect(fourth).rejects.toThrow("given up");
});
