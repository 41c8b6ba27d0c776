import { mkdtempSync, rmSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { until } from "../support/redis-server";
import { backlog } from "../../provider/backup/backlog";

const MB = 1024 * 1024;

async function ring() {
  const folder = mkdtempSync(join(tmpdir(), "backlog-"));
  const file = await open(join(folder, "ring"), "wx+");
  return {
    file,
    [Symbol.asyncDispose]: async () => {
      await file.close();
      rmSync(folder, { recursive: true });
    },
  };
}

/** Numbered bytes, so that a chunk in the wrong place is seen. */
function chunk(length: number, begin: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE((begin + at) % 2 ** 32, at);
  return bytes;
}

const turn = () => new Promise((resolve) => setImmediate(resolve));

test("bytes come out as they went in, whoever is faster and however little may wait on disk", async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 60 }),
      fc.constantFrom(0, 1, 97, 1_000, 100_000),
      fc.array(fc.nat(8), { minLength: 1, maxLength: 20 }),
      fc.array(fc.nat(8), { minLength: 1, maxLength: 20 }),
      async (lengths, mostBytes, giving, taking) => {
        await using opened = await ring();
        let begin = 0;
        const chunks = lengths.map((length) => chunk(length, (begin += length)));
        async function* source() {
          for (const [i, each] of chunks.entries()) {
            for (let n = giving[i % giving.length] ?? 0; n > 0; n--) await turn();
            yield each;
          }
        }
        let told: number | undefined;
        const parts: Buffer[] = [];
        for await (const part of backlog(
          source(),
          { file: opened.file, mostBytes, memoryBytes: 200, batchBytes: 60 },
          (n) => (told = n),
        )) {
          parts.push(Buffer.from(part));
          for (let n = taking[parts.length % taking.length] ?? 0; n > 0; n--) await turn();
        }
        const all = Buffer.concat(chunks);
        expect(Buffer.concat(parts).equals(all)).toBe(true);
        expect(told).toBe(all.length);
        expect((await opened.file.stat()).size).toBeLessThanOrEqual(mostBytes);
      },
    ),
    { numRuns: 200 },
  );
});

test("a source is read to its end although nobody takes its bytes, as far as there is room for them", async () => {
  for (const [mostBytes, expected] of [
    [64 * MB, 40],
    // What memory takes, what was asked for, and what is at hand to be written down.
    [0, 9],
  ] as const) {
    await using opened = await ring();
    let given = 0;
    async function* source() {
      for (; given < 40; given++) yield Buffer.alloc(MB);
    }
    const bytes = backlog(source(), { file: opened.file, mostBytes });
    await bytes.next();
    await until("the source to be read", () => given >= expected);
    for (let n = 0; n < 20; n++) await turn();
    expect(given).toBe(expected);
    await bytes.return();
  }
});

test("a failure of the source is what the taker gets, and a taker that leaves ends the source", async () => {
  await using opened = await ring();
  const cause = new Error("cut");
  async function* failing() {
    yield Buffer.alloc(10);
    throw cause;
  }
  const drained = async () => {
    for await (const part of backlog(failing(), { file: opened.file, mostBytes: MB }))
      expect(part).toBeDefined();
  };
  await expect(drained()).rejects.toBe(cause);
  let ended = false;
  async function* endless() {
    try {
      for (;;) yield Buffer.alloc(MB);
    } finally {
      ended = true;
    }
  }
  for await (const part of backlog(endless(), { file: opened.file, mostBytes: 2 * MB })) {
    expect(part.length).toBe(MB);
    break;
  }
  for (let n = 0; n < 100 && !ended; n++) await turn();
  expect(ended).toBe(true);
});
