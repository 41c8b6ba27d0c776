import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { describe, expect, test } from "vitest";
import type { Store } from "../../provider/stores/contract";

export interface TestStore extends AsyncDisposable {
  readonly store: Store;
}

const never = new AbortController().signal;
const bytes = (content: string | Buffer) => Readable.from([Buffer.from(content)], { objectMode: false });
const read = async (store: Store, key: string) => (await buffer(await store.get(key, never))).toString();
const keys = async (store: Store, prefix: string) => (await store.list(prefix, never)).map(({ key }) => key);

/** What every driver of the contract does; `open` gives a new, empty store. */
export function storeSuite(name: string, open: () => Promise<TestStore>): void {
  describe(`the ${name} store`, () => {
    test("gives back exactly what was put, small, empty and larger than any buffer", async () => {
      await using opened = await open();
      const { store } = opened;
      const large = Buffer.alloc(5_000_003, "0123456789");
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

    test("lets exactly one of twenty writers win that all want an absent object", async () => {
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
    });

    test("shows nothing of a source that fails half-way, and passes on why", async () => {
      await using opened = await open();
      const { store } = opened;
      await store.put("a/1", bytes("old"), { signal: never });
      const cause = new Error("the leader went away");
      for (const key of ["a/1", "a/2"]) {
        async function* failing() {
          yield Buffer.alloc(300_000);
          throw cause;
        }
        const put = store.put(key, Readable.from(failing(), { objectMode: false }), { signal: never });
        await expect(put).rejects.toBe(cause);
      }
      expect(await keys(store, "")).toEqual(["a/1"]);
      expect(await read(store, "a/1")).toBe("old");
    });

    test("shows nothing of a put that is aborted half-way, and stops its source", async () => {
      await using opened = await open();
      const { store } = opened;
      const abort = new AbortController();
      const reason = new Error("told to stop");
      async function* endless() {
        for (let chunk = 0; ; chunk++) {
          if (chunk === 20) abort.abort(reason);
          yield Buffer.alloc(65_536);
        }
      }
      const source = Readable.from(endless(), { objectMode: false });
      await expect(store.put("a/1", source, { signal: abort.signal })).rejects.toBe(reason);
      expect(source.destroyed).toBe(true);
      expect(await keys(store, "")).toEqual([]);
    });

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

    test("deletes, also what is not there", async () => {
      await using opened = await open();
      const { store } = opened;
      await store.delete("a/1", never);
      await store.put("a/1", bytes("x"), { signal: never });
      await store.delete("a/1", never);
      await store.delete("a/1", never);
      expect(await keys(store, "")).toEqual([]);
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
      },
    );
  });
}
