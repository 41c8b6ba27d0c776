import { randomBytes } from "node:crypto";
import { crc32, deflateRawSync, gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { compressMembers } from "../../provider/backup/archive/compress";
import { gunzip } from "../../provider/backup/archive/gunzip";
import { HEADER_BYTES, memberBytes, wrapping } from "../../provider/backup/archive/member";

const damaged = (why: string) => new Error(`damaged: ${why}`);

async function* pieces(bytes: Buffer, size = 64 * 1024): AsyncGenerator<Buffer, void> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size);
}

async function collected(source: AsyncIterable<Buffer>): Promise<Buffer> {
  const all: Buffer[] = [];
  for await (const chunk of source) all.push(chunk);
  return Buffer.concat(all);
}

const packed = (content: Buffer) => collected(compressMembers(pieces(content)));
const unpacked = (bytes: Buffer, size?: number) => collected(gunzip(pieces(bytes, size), damaged));

/** Content of several members, of which some shrink. */
function content(bytes: number): Buffer {
  const all = randomBytes(bytes);
  all.fill("a value like another; ", 0, bytes >> 1);
  return all;
}

/** A member that says of itself what isn't so. */
function lying(deflated: Buffer, told: { readonly crc32: number; readonly sizeBytes: number }): Buffer {
  const { header, trailer } = wrapping(deflated.length, told);
  return Buffer.concat([header, deflated, trailer]);
}

test("members tell their size one after the other, and every reader of gzip takes them", async () => {
  const raw = content(3_000_000);
  const archive = await packed(raw);
  let members = 0;
  for (let at = 0; at < archive.length; members++) {
    const bytes = memberBytes(archive.subarray(at, at + HEADER_BYTES));
    if (bytes === undefined) throw new Error(`nothing is told at ${at}`);
    at += bytes;
    expect(at).toBeLessThanOrEqual(archive.length);
  }
  expect(members).toBe(Math.ceil(raw.length / (512 * 1024)));
  expect(gunzipSync(archive).equals(raw)).toBe(true);
  expect((await unpacked(archive)).equals(raw)).toBe(true);
});

test("whatever the pieces that it comes in, and whoever wrote the members, it unpacks to the same", async () => {
  const parts = fc.array(
    fc.record({
      bytes: fc.nat(900_000),
      by: fc.constantFrom("us", "another"),
    }),
    { maxLength: 4 },
  );
  await fc.assert(
    fc.asyncProperty(parts, fc.integer({ min: 1_000, max: 700_000 }), async (chosen, size) => {
      const raws = chosen.map(({ bytes }) => content(bytes));
      const members = await Promise.all(
        chosen.map(async ({ by }, i) => {
          const raw = raws[i] ?? Buffer.alloc(0);
          return by === "us" ? packed(raw) : gzipSync(raw, { level: 1 });
        }),
      );
      // Nothing at all is no gzip file; that is told by what reads the tar in it.
      expect((await unpacked(Buffer.concat(members), size)).equals(Buffer.concat(raws))).toBe(true);
    }),
    { numRuns: 15 },
  );
});

test("a flipped bit anywhere is damage, or changes nothing", async () => {
  const raw = content(700_000);
  const archive = await packed(raw);
  const boundary = memberBytes(archive.subarray(0, HEADER_BYTES)) ?? 0;
  const places = fc.oneof(
    fc.nat(archive.length - 1),
    fc.nat(HEADER_BYTES + 8),
    fc.integer({ min: boundary - 12, max: boundary + HEADER_BYTES }),
    fc.integer({ min: archive.length - 12, max: archive.length - 1 }),
  );
  await fc.assert(
    fc.asyncProperty(places, fc.nat(7), async (at, bit) => {
      const flipped = Buffer.from(archive);
      flipped[at] = (flipped[at] ?? 0) ^ (1 << bit);
      const found = await unpacked(flipped).catch((error: unknown) => error);
      if (found instanceof Error) expect(found.message).toMatch(/^damaged: /);
      else expect((found as Buffer).equals(raw)).toBe(true);
    }),
    { numRuns: 120 },
  );
});

test("what is cut is damage, but for a cut between two members, which a gzip file can't tell", async () => {
  const raw = content(1_200_000);
  const archive = await packed(raw);
  const boundaries = new Set([0]);
  for (let at = 0; at < archive.length;) {
    at += memberBytes(archive.subarray(at, at + HEADER_BYTES)) ?? archive.length;
    boundaries.add(at);
  }
  const near = [...boundaries].flatMap((at) => [-21, -9, -8, -1, 0, 1, 10, 19, 20, 21].map((by) => at + by));
  const cuts = near.filter((at) => at >= 0 && at < archive.length);
  for (const cut of cuts) {
    const found = await unpacked(archive.subarray(0, cut)).catch((error: unknown) => error);
    if (boundaries.has(cut))
      expect((found as Buffer).equals(raw.subarray(0, (found as Buffer).length))).toBe(true);
    else expect([cut, String(found)]).toEqual([cut, expect.stringMatching(/^Error: damaged: /)]);
  }
});

test("what a member says of itself is not believed", async () => {
  const raw = content(10_000);
  const deflated = deflateRawSync(raw);
  const told = { crc32: crc32(raw), sizeBytes: raw.length };
  expect(await unpacked(lying(deflated, told))).toEqual(raw);
  const bomb = deflateRawSync(Buffer.alloc(200_000_000));
  const half = deflated.subarray(0, deflated.length >> 1);
  const wrong: readonly (readonly [string, Buffer])[] = [
    ["its checksum or its size is wrong", lying(deflated, { ...told, crc32: 1 })],
    ["its checksum or its size is wrong", lying(deflated, { ...told, sizeBytes: raw.length + 1 })],
    ["it holds more than it says", lying(deflated, { ...told, sizeBytes: raw.length - 1 })],
    ["it holds more than it says", lying(bomb, told)],
    ["something follows its data", lying(Buffer.concat([deflated, Buffer.alloc(3)]), told)],
    ["unexpected end of file", lying(half, told)],
    ["it is cut short", lying(Buffer.alloc(0), told).subarray(0, HEADER_BYTES + 4)],
  ];
  for (const [why, member] of wrong) {
    // Among good ones, which are unpacked at the same time.
    const good = lying(deflated, told);
    const archive = Buffer.concat([good, member, why === "it is cut short" ? Buffer.alloc(0) : good]);
    await expect(unpacked(archive)).rejects.toThrow(why);
  }
});

test("who stops reading early leaves nothing running, and no more was taken than is in flight", async () => {
  const archive = await packed(content(20_000_000));
  let taken = 0;
  async function* source() {
    for await (const piece of pieces(archive)) {
      taken += piece.length;
      yield piece;
    }
  }
  for await (const chunk of gunzip(source(), damaged)) {
    expect(chunk.length).toBeGreaterThan(0);
    break;
  }
  expect(taken).toBeLessThan(6_000_000);
});
