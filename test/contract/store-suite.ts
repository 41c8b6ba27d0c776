import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import type { Store, StoredObject } from "../../provider/stores/contract";

export interface TestStore extends AsyncDisposable {
  readonly store: Store;
  /** Puts, beside the store, what a put that was interrupted at this moment leaves below a folder. */
  interrupt(folder: string): Promise<void>;
  /** The store as it is seen so much later: by another machine, say. */
  later(ms: number): Promise<Store>;
}

const DAY_MS = 24 * 60 * 60_000;

const never = new AbortController().signal;
const bytes = (content: string | Buffer) => Readable.from([Buffer.from(content)], { objectMode: false });
const read = async (store: Store, key: string) => (await buffer(await store.get(key, never))).toString();
const keys = async (store: Store, prefix: string) => (await store.list(prefix, never)).map(({ key }) => key);

/**
 * What every driver of the contract does; `open` gives a new, empty store. Where the store can't guarantee that one of
 * several writers wins, they are told so and what it does instead is tested.
 */
export function storeSuite(
  name: string,
  open: () => Promise<TestStore>,
  { ifAbsent = true }: { readonly ifAbsent?: boolean } = {},
): void {
  describe(`the ${name} store`, () => {
    test("gives back exactly what was put, small, empty and larger than any buffer", async () => {
      await using opened = await open();
      const { store } = opened;
      const large = Buffer.alloc(20_000_003, "0123456789");
      for (const [key, content] of [
        ["a/small", Buffer.from("x")],
        ["a/empty", Buffer.alloc(0)],
        ["a/large", large],
      ] as const) {
        const source = Readable.from(content.length === 0 ? [] : [content], { objectMode: false });
        expect(await store.put(key, source, { signal: never })).toEqual({ sizeBytes: content.length });
        expect((await buffer(await store.get(key, never))).equals(content)).toBe(true);
      }
    });

    test("takes an estimate of the size that is right, far too low, or far too high", async () => {
      await using opened = await open();
      const { store } = opened;
      for (const estimateBytes of [9_000_000, 1, 200 * 1024 ** 3]) {
        const pieces = Array.from({ length: 90 }, (_, piece) => Buffer.alloc(100_000, piece));
        const source = Readable.from(pieces, { objectMode: false });
        expect(await store.put("a/1", source, { estimateBytes, signal: never })).toEqual({
          sizeBytes: 9_000_000,
        });
        expect((await buffer(await store.get("a/1", never))).equals(Buffer.concat(pieces))).toBe(true);
      }
    });

    test("takes a source that comes byte by byte, and one that has ended", async () => {
      await using opened = await open();
      const { store } = opened;
      async function* drops() {
        for (let byte = 0; byte < 1000; byte++) yield Buffer.from([byte % 256]);
      }
      const source = Readable.from(drops(), { objectMode: false });
      expect(await store.put("a/1", source, { signal: never })).toEqual({ sizeBytes: 1000 });
      expect((await buffer(await store.get("a/1", never))).at(999)).toBe(999 % 256);
    });

    test("lists what begins with a prefix, in the order of the keys, with sizes and times", async () => {
      await using opened = await open();
      const { store } = opened;
      for (const key of ["b/2", "a/2.json", "a/10", "a/1", "ab/1"])
        await store.put(key, bytes("four"), { signal: never });
      expect(await keys(store, "a/")).toEqual(["a/1", "a/10", "a/2.json"]);
      expect(await keys(store, "a")).toEqual(["a/1", "a/10", "a/2.json", "ab/1"]);
      expect(await keys(store, "a/1")).toEqual(["a/1", "a/10"]);
      expect(await keys(store, "")).toHaveLength(5);
      expect(await keys(store, "nobody/")).toEqual([]);
      const [object] = await store.list("b/", never);
      expect(object?.sizeBytes).toBe(4);
      expect(Math.abs(Date.now() - (object?.modifiedAt ?? 0))).toBeLessThan(60_000);
    });

    test("gives the same part by part, and the keys alone between two bounds", async () => {
      await using opened = await open();
      const { store } = opened;
      for (const key of ["a/2.json", "a/10", "a/1", "a/20", "ab/1", "b/15"])
        await store.put(key, bytes("four"), { signal: never });
      for (const prefix of ["", "a", "a/", "a/1", "nobody/"]) {
        const objects: StoredObject[] = [];
        for await (const part of store.parts(prefix, never)) objects.push(...part);
        expect(objects.sort((a, b) => (a.key < b.key ? -1 : 1))).toEqual(await store.list(prefix, never));
      }
      expect(await store.keysBetween("a/1", "a/2~", never)).toEqual(["a/10", "a/2.json", "a/20"]);
      expect(await store.keysBetween("a/", "a/2", never)).toEqual(["a/1", "a/10"]);
      expect(await store.keysBetween("nobody/1", "nobody/2", never)).toEqual([]);
    });

    test("replaces an object, unless it was to be absent", async () => {
      await using opened = await open();
      const { store } = opened;
      await store.put("a/1", bytes("old"), { signal: never });
      await store.put("a/1", bytes("new"), { signal: never });
      expect(await read(store, "a/1")).toBe("new");
      const again = store.put("a/1", bytes("newest"), { ifAbsent: true, signal: never });
      await expect(again).rejects.toMatchObject({
        code: "already-exists",
        subject: expect.stringContaining("a/1"),
      });
      expect(await read(store, "a/1")).toBe("new");
      expect(await keys(store, "")).toEqual(["a/1"]);
    });

    test("says whether of several writers one wins, and leaves nothing of finding out", async () => {
      await using opened = await open();
      const { store } = opened;
      expect(await store.guarantees(never)).toEqual({ ifAbsent });
      expect(await store.guarantees(never)).toEqual({ ifAbsent });
      expect(await keys(store, "")).toEqual([]);
    });

    test.runIf(ifAbsent)(
      "lets exactly one of twenty writers win that all want an absent object",
      async () => {
        await using opened = await open();
        const { store } = opened;
        const puts = await Promise.allSettled(
          Array.from({ length: 20 }, (_, writer) =>
            store.put("a/1", bytes(`writer ${writer}`), { ifAbsent: true, signal: never }),
          ),
        );
        const winners = puts.flatMap(({ status }, writer) => (status === "fulfilled" ? [writer] : []));
        expect(winners).toHaveLength(1);
        expect(await read(store, "a/1")).toBe(`writer ${winners[0]}`);
        for (const put of puts)
          if (put.status === "rejected") expect(put.reason).toMatchObject({ code: "already-exists" });
        expect(await keys(store, "")).toEqual(["a/1"]);
      },
    );

    test("shows nothing of a source that fails half-way, and passes on why", async () => {
      await using opened = await open();
      const { store } = opened;
      await store.put("a/1", bytes("old"), { signal: never });
      const cause = new Error("the leader went away");
      for (const [key, bytesBefore] of [
        ["a/1", 300_000],
        ["a/2", 0],
        ["a/2", 20_000_000],
      ] as const) {
        async function* failing() {
          yield Buffer.alloc(bytesBefore);
          throw cause;
        }
        const put = store.put(key, Readable.from(failing(), { objectMode: false }), { signal: never });
        await expect(put).rejects.toBe(cause);
      }
      expect(await keys(store, "")).toEqual(["a/1"]);
      expect(await read(store, "a/1")).toBe("old");
    });

    test("passes on why a source failed before anybody read it", async () => {
      await using opened = await open();
      const { store } = opened;
      const cause = new Error("the leader went away");
      const [failed, failing] = [
        new Readable({ read: () => undefined }),
        new Readable({ read: () => undefined }),
      ];
      failed.on("error", () => undefined).destroy(cause);
      await expect(store.put("a/1", failed, { ifAbsent: true, signal: never })).rejects.toBe(cause);
      // One that knows nothing of its place yet has to ask first.
      const put = (await opened.later(0)).put("a/1", failing, { ifAbsent: true, signal: never });
      failing.destroy(cause);
      await expect(put).rejects.toBe(cause);
      expect(await keys(store, "")).toEqual([]);
    });

    test("shows nothing of a source that is destroyed half-way", async () => {
      await using opened = await open();
      const { store } = opened;
      const source: Readable = new Readable({
        read: () => void (pieces++ < 20 ? source.push(Buffer.alloc(65_536)) : source.destroy()),
      });
      let pieces = 0;
      const put = store.put("a/1", source, { signal: never });
      await expect(put).rejects.toThrow(/premature close/i);
      expect(await keys(store, "")).toEqual([]);
    });

    test("is not held up by a source that gives nothing any more, once it is aborted", async () => {
      await using opened = await open();
      const { store } = opened;
      const abort = new AbortController();
      const reason = new Error("told to stop");
      let hasGiven = false;
      const source: Readable = new Readable({
        read() {
          if (hasGiven) setImmediate(() => abort.abort(reason));
          else source.push(Buffer.alloc(10_000_000));
          hasGiven = true;
        },
      });
      await expect(store.put("a/1", source, { signal: abort.signal })).rejects.toBe(reason);
      expect(source.destroyed).toBe(true);
      expect(await keys(store, "")).toEqual([]);
    });

    test.each([20, 400])(
      "shows nothing of a put that is aborted at piece %i, and stops its source",
      async (at) => {
        await using opened = await open();
        const { store } = opened;
        const abort = new AbortController();
        const reason = new Error("told to stop");
        async function* endless() {
          for (let chunk = 0; ; chunk++) {
            if (chunk === at) abort.abort(reason);
            yield Buffer.alloc(65_536);
          }
        }
        const source = Readable.from(endless(), { objectMode: false });
        await expect(store.put("a/1", source, { signal: abort.signal })).rejects.toBe(reason);
        expect(source.destroyed).toBe(true);
        expect(await keys(store, "")).toEqual([]);
      },
    );

    test("does nothing at all once the signal is aborted", async () => {
      await using opened = await open();
      const { store } = opened;
      const reason = new Error("told to stop");
      const signal = AbortSignal.abort(reason);
      await store.put("a/1", bytes("here"), { signal: never });
      await expect(store.put("a/2", bytes("x"), { signal })).rejects.toBe(reason);
      await expect(store.get("a/1", signal)).rejects.toBe(reason);
      await expect(store.list("", signal)).rejects.toBe(reason);
      await expect(store.delete("a/1", signal)).rejects.toBe(reason);
      await expect(store.deleteMany(["a/1"], signal)).rejects.toBe(reason);
      await expect(store.time("a", signal)).rejects.toBe(reason);
      await expect(store.sweep("a", signal)).rejects.toBe(reason);
      expect(await keys(store, "")).toEqual(["a/1"]);
    });

    test("says by its URL and key what is not there", async () => {
      await using opened = await open();
      const { store } = opened;
      await expect(store.get("a/1", never)).rejects.toMatchObject({
        code: "not-found",
        subject: expect.stringContaining("a/1"),
      });
    });

    test("ends a stream with the reason, once its signal is aborted", async () => {
      await using opened = await open();
      const { store } = opened;
      const abort = new AbortController();
      const reason = new Error("told to stop");
      await store.put("a/1", bytes(Buffer.alloc(20_000_000)), { signal: never });
      const stream = await store.get("a/1", abort.signal);
      stream.once("data", () => abort.abort(reason));
      await expect(buffer(stream).then(({ length }) => length)).rejects.toBe(reason);
      // One that nobody reads keeps nothing open.
      (await store.get("a/1", never)).destroy();
    });

    test("removes what an interrupted put left, once it is a day old, from that folder alone", async () => {
      await using opened = await open();
      const { store } = opened;
      await store.put("a/1", bytes("x"), { signal: never });
      await opened.interrupt("a");
      await opened.interrupt("ab");
      expect(await keys(store, "")).toEqual(["a/1"]);
      expect(await store.sweep("a", never)).toBe(0);
      const tomorrow = await opened.later(DAY_MS + 60_000);
      expect(await tomorrow.sweep("nobody", never)).toBe(0);
      expect(await tomorrow.sweep("a", never)).toBe(1);
      expect(await tomorrow.sweep("a", never)).toBe(0);
      expect(await tomorrow.sweep("ab", never)).toBe(1);
      expect(await keys(store, "")).toEqual(["a/1"]);
    });

    test("deletes, also what is not there", async () => {
      await using opened = await open();
      const { store } = opened;
      await store.delete("a/1", never);
      await store.put("a/1", bytes("x"), { signal: never });
      await store.delete("a/1", never);
      await store.delete("a/1", never);
      expect(await keys(store, "")).toEqual([]);
    });

    test("deletes many at once, whether they are there or not, and nothing else", async () => {
      await using opened = await open();
      const { store } = opened;
      expect(await store.deleteMany([], never)).toEqual([]);
      const all = Array.from({ length: 30 }, (_, number) => `a/${number}`);
      for (const key of [...all, "ab/1"]) await store.put(key, bytes("x"), { signal: never });
      expect(await store.deleteMany([...all.slice(2), "a/none", "nobody/1"], never)).toEqual([]);
      expect(await keys(store, "")).toEqual(["a/0", "a/1", "ab/1"]);
      expect(await store.deleteMany(all, never)).toEqual([]);
      expect(await keys(store, "")).toEqual(["ab/1"]);
    });

    test("tells its own time, by which what is written now is dated", async () => {
      await using opened = await open();
      const { store } = opened;
      await store.put("a/1", bytes("x"), { signal: never });
      const [object] = await store.list("a/", never);
      const time = await store.time("a", never);
      // S3 tells whole seconds.
      expect(Math.abs(time - (object?.modifiedAt ?? 0))).toBeLessThan(60_000);
      expect(await keys(store, "")).toEqual(["a/1"]);
    });

    test.each(["a", "a/b/c", "../a", "a/..", "a/.hidden", "/a", "a/", "", "a/b c", "a/\0"])(
      "refuses the key %j",
      async (key) => {
        await using opened = await open();
        const { store } = opened;
        const refused = { code: "invalid-key" };
        await expect(store.put(key, bytes("x"), { signal: never })).rejects.toMatchObject(refused);
        await expect(store.get(key, never)).rejects.toMatchObject(refused);
        await expect(store.delete(key, never)).rejects.toMatchObject(refused);
        await expect(store.deleteMany([key], never)).rejects.toMatchObject(refused);
      },
    );
  });
}
