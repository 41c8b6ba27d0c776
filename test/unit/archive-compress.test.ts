import { createHash, randomBytes } from "node:crypto";
import { gunzipSync, gzipSync } from "node:zlib";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { compressContent, compressMembers, type ReadyMembers } from "../../provider/backup/archive/compress";
import { untilAborted } from "../../provider/backup/archive/until-aborted";

const MEMBER_BYTES = 512 * 1024;

async function all(members: AsyncIterable<Buffer>): Promise<Buffer> {
  return Buffer.concat(await list(members));
}

async function list<Item>(items: AsyncIterable<Item>): Promise<Item[]> {
  const listed: Item[] = [];
  for await (const item of items) listed.push(item);
  return listed;
}

async function* from<Item>(items: Iterable<Item>): AsyncGenerator<Item, void> {
  yield* items;
}

/** Compresses about as well as rows of JSON do. */
function rows(bytes: number): Buffer {
  const text = Array.from(
    { length: Math.ceil(bytes / 20) },
    (_, row) => `{"id":${row},"name":"${row % 97}"}`,
  );
  return Buffer.from(text.join("")).subarray(0, bytes);
}

test("however content comes in pieces, it unpacks to itself, in order", async () => {
  const content = Buffer.concat([rows(2_500_000), randomBytes(1_500_000), rows(700_001)]);
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.nat(content.length), { maxLength: 12 }),
      fc.array(fc.boolean(), { minLength: 13, maxLength: 13 }),
      async (cuts, ready) => {
        const bounds = [0, ...cuts.sort((a, b) => a - b), content.length];
        const parts = bounds.slice(1).map((end, i): Buffer | ReadyMembers => {
          const part = content.subarray(bounds[i], end);
          return ready[i] === true ? { members: from([gzipSync(part, { level: 1 })]) } : part;
        });
        expect(gunzipSync(await all(compressMembers(from(parts)))).equals(content)).toBe(true);
      },
    ),
    { numRuns: 20 },
  );
}, 60_000);

test("content that comes compressed passes as it is, between members of its own", async () => {
  const ready = [gzipSync("b"), gzipSync("c")];
  const pieces = await list(
    compressMembers(from([Buffer.from("a"), { members: from(ready) }, Buffer.from("d")])),
  );
  expect(pieces.filter((piece) => ready.some((member) => member.equals(piece)))).toEqual(ready);
  expect(gunzipSync(Buffer.concat(pieces)).toString()).toBe("abcd");
});

test("nothing makes no member, and an empty piece makes none", async () => {
  expect(await all(compressMembers(from([])))).toHaveLength(0);
  expect(await all(compressMembers(from([Buffer.alloc(0)])))).toHaveLength(0);
});

test("bytes that don't shrink are stored, those that do after them are compressed again", async () => {
  const random = randomBytes(16 * MEMBER_BYTES);
  const storedBytes = (await all(compressMembers(from([random])))).length;
  // Deflate at its fastest level grows random bytes by more than storing them does.
  const deflatedBytes = gzipSync(random, { level: 1 }).length;
  expect(storedBytes).toBeLessThan(deflatedBytes);
  const after = (await all(compressMembers(from([random, rows(16 * MEMBER_BYTES)])))).length;
  expect(after - storedBytes).toBeLessThan(8 * MEMBER_BYTES);
});

test("it takes no more from its source than a few members beyond what was taken from it", async () => {
  let givenBytes = 0;
  async function* endless() {
    for (;;) {
      givenBytes += MEMBER_BYTES / 4;
      yield randomBytes(MEMBER_BYTES / 4);
    }
  }
  const members = compressMembers(endless());
  for (let taken = 1; taken <= 12; taken++) {
    await members.next();
    for (let turn = 0; turn < 20; turn++) await new Promise((go) => setImmediate(go));
    expect(givenBytes).toBeLessThanOrEqual((taken + 8) * MEMBER_BYTES);
  }
  await members.return();
});

describe("a source that fails in the middle", () => {
  const cause = new Error("the link was cut");
  async function* failing(bytes: number): AsyncGenerator<Buffer, void> {
    yield rows(bytes);
    throw cause;
  }

  test.each([0, 1, MEMBER_BYTES, 10 * MEMBER_BYTES])("after %s bytes fails the members", async (bytes) => {
    await expect(all(compressMembers(failing(bytes)))).rejects.toBe(cause);
  });

  test("fails them in a part that comes compressed as well", async () => {
    await expect(all(compressMembers(from([rows(10), { members: failing(10) }])))).rejects.toBe(cause);
  });
});

test("who stops early ends the source too", async () => {
  let ended = false;
  async function* source() {
    try {
      for (;;) yield rows(MEMBER_BYTES);
    } finally {
      ended = true;
    }
  }
  for await (const member of compressMembers(source())) {
    expect(member.length).toBeGreaterThan(0);
    break;
  }
  expect(ended).toBe(true);
});

test("content by itself is counted and hashed as it was before, once it has ended", async () => {
  const content = rows(1_300_000);
  const { members, raw } = compressContent(from([content.subarray(0, 7), content.subarray(7)]));
  expect(raw).toThrow("not been read to its end");
  expect(gunzipSync(await all(members)).equals(content)).toBe(true);
  const sha256 = createHash("sha256").update(content).digest("hex");
  for (let asked = 0; asked < 2; asked++) expect(raw()).toEqual({ sizeBytes: content.length, sha256 });
});

describe("until aborted", () => {
  test("a source that has fallen silent is left with the signal's reason, and ended", async () => {
    const abort = new AbortController();
    const reason = new Error("told to stop");
    let returned = false;
    const silent: AsyncIterable<number> = {
      [Symbol.asyncIterator]: () => ({
        next: () => new Promise(() => undefined),
        return: async () => {
          returned = true;
          return { done: true, value: undefined };
        },
      }),
    };
    const items = untilAborted(silent, abort.signal).next();
    setImmediate(() => abort.abort(reason));
    await expect(items).rejects.toBe(reason);
    expect(returned).toBe(true);
  });

  test("items pass in order, and an abort between two of them counts", async () => {
    const abort = new AbortController();
    const seen: number[] = [];
    const run = async () => {
      for await (const item of untilAborted(from([1, 2, 3]), abort.signal)) {
        seen.push(item);
        if (item === 2) abort.abort(new Error("told to stop"));
      }
    };
    await expect(run()).rejects.toThrow("told to stop");
    expect(seen).toEqual([1, 2]);
    expect(await list(untilAborted(from([4, 5]), new AbortController().signal))).toEqual([4, 5]);
  });
});
