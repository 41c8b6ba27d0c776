import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  parseSnapshotHeader,
  replyReader,
  snapshotBytes,
  type SnapshotHeader,
} from "../../provider/redis/replication/reader";
import { whole } from "../support/whole";

class CutShort extends Error {}
const cutShort = (done: number) => new CutShort(String(done));
const MARK_TEXT = "0123456789abcdef0123456789abcdef01234567";
const MARK = Buffer.from(MARK_TEXT);

/** The bytes in pieces of the given sizes, over and over, each where the one before was: as a connection gives them. */
async function* pieces(bytes: Buffer, sizes: readonly number[]): AsyncGenerator<Buffer, void> {
  const reused = Buffer.alloc(Math.max(...sizes));
  for (let at = 0, turn = 0; at < bytes.length; turn++) {
    const size = sizes[turn % sizes.length] ?? 1;
    const copied = bytes.copy(reused, 0, at, at + size);
    yield reused.subarray(0, copied);
    reused.fill(0xff);
    at += size;
  }
}

async function skipToHeader(reader: ReturnType<typeof replyReader>): Promise<SnapshotHeader> {
  for (;;) {
    const line = await reader.line();
    if (line === undefined) throw new CutShort("header");
    const header = parseSnapshotHeader(line);
    if (header !== undefined) return header;
    expect(line).toBe("");
  }
}

const splits = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 10 });
/** Bytes that make trouble: line breaks, dollars, beginnings of the mark. */
const payloads = fc
  .array(
    fc.oneof(
      fc.uint8Array({ maxLength: 60 }),
      fc
        .constantFrom("\r\n", "\n\n", "$5\r\n", MARK_TEXT.slice(0, 39), "0", "0123")
        .map((s) => Buffer.from(s)),
    ),
    { maxLength: 12 },
  )
  .map((parts) => Buffer.concat(parts))
  .filter((bytes) => !bytes.includes(MARK));

describe("a snapshot on the wire", () => {
  test("of announced size arrives exactly, however it is split, after any number of keep-alive newlines", async () => {
    await fc.assert(
      fc.asyncProperty(payloads, splits, fc.nat(5), payloads, async (payload, sizes, newlines, after) => {
        const wire = Buffer.concat([
          Buffer.from(`${"\n".repeat(newlines)}$${payload.length}\r\n`),
          payload,
          after,
        ]);
        const reader = replyReader(pieces(wire, sizes));
        const header = await skipToHeader(reader);
        expect(await whole(snapshotBytes(reader, header, cutShort))).toEqual(payload);
      }),
    );
  });

  test("that ends with a mark arrives exactly, and what follows is still there", async () => {
    await fc.assert(
      fc.asyncProperty(payloads, splits, fc.nat(5), payloads, async (payload, sizes, newlines, after) => {
        const wire = Buffer.concat([
          Buffer.from(`${"\n".repeat(newlines)}$EOF:${MARK_TEXT}\r\n`),
          payload,
          MARK,
          after,
        ]);
        const reader = replyReader(pieces(wire, sizes));
        const header = await skipToHeader(reader);
        expect(await whole(snapshotBytes(reader, header, cutShort))).toEqual(payload);
        const rest: Buffer[] = [];
        for (let part = await reader.some(7); part !== undefined; part = await reader.some(7))
          rest.push(Buffer.from(part));
        expect(Buffer.concat(rest)).toEqual(after);
      }),
    );
  });

  test("that is cut anywhere fails, whichever way its end was announced", async () => {
    await fc.assert(
      fc.asyncProperty(payloads, splits, fc.boolean(), fc.nat(), async (payload, sizes, marked, where) => {
        const wire = marked
          ? Buffer.concat([Buffer.from(`$EOF:${MARK_TEXT}\r\n`), payload, MARK])
          : Buffer.concat([Buffer.from(`$${payload.length + 1}\r\n`), payload, Buffer.from("!")]);
        const reader = replyReader(pieces(wire.subarray(0, where % wire.length), sizes));
        const read = async () => whole(snapshotBytes(reader, await skipToHeader(reader), cutShort));
        await expect(read()).rejects.toBeInstanceOf(CutShort);
      }),
    );
  });

  test.each(["$", "$-1", "$12x", "$EOF:short", "+OK", `$EOF:${MARK_TEXT}x`, "$9999999999999999"])(
    "is not announced by %j",
    (line) => {
      expect(parseSnapshotHeader(line)).toBeUndefined();
    },
  );

  test("an endless line is no reply", async () => {
    const reader = replyReader(pieces(Buffer.alloc(200_000, "x"), [60_000]));
    await expect(reader.line()).rejects.toThrow("no Redis reply");
  });
});
