import { randomBytes } from "node:crypto";
import { createServer } from "node:http";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { expect, test } from "vitest";
import type { Store } from "../../provider/stores/contract";
import { systemClock } from "../../provider/system/clock";
import { portOf } from "../support/fault-proxy";
import { type S3Fault, type S3Request, s3Error, startS3FaultProxy } from "../support/s3-fault-proxy";
import { startVersityGw, versityGw } from "../support/s3-servers";
import { describeWith } from "../support/tools";
import { allKeys, impatient, openOn, pendingUploads, PREFIX } from "./store-s3-support";

const never = new AbortController().signal;
const DAY_MS = 24 * 60 * 60_000;
const PART_BYTES = 5 * 1024 * 1024;
/** Three parts. */
const large = randomBytes(2 * PART_BYTES + 1000);
const pieces = (content: Buffer) => {
  const all = [];
  for (let at = 0; at < content.length; at += 100_000) all.push(content.subarray(at, at + 100_000));
  return Readable.from(all, { objectMode: false });
};
const read = async (store: Store, key: string) => buffer(await store.get(key, never));
/** For what should fail: nobody wants to see megabytes if it doesn't. */
const readSize = async (stream: Readable) => (await buffer(stream)).length;
const keys = async (store: Store) => (await store.list("", never)).map(({ key }) => key);

const isCreate = ({ method, query }: S3Request) => method === "POST" && query.has("uploads");
const isPart = ({ method, query }: S3Request) => method === "PUT" && query.has("partNumber");
const isComplete = ({ method, query }: S3Request) => method === "POST" && query.has("uploadId");
const isAbort = ({ method, query }: S3Request) => method === "DELETE" && query.has("uploadId");
const isPut = ({ method, query, path }: S3Request) =>
  method === "PUT" && !query.has("uploadId") && !path.includes("probe");
const isGet = ({ method, query }: S3Request) => method === "GET" && !query.has("list-type");
const isList = ({ method, query }: S3Request) => method === "GET" && query.has("list-type");

async function faulty() {
  const server = await startVersityGw();
  const proxy = await startS3FaultProxy(server.endpoint);
  return {
    server,
    proxy,
    store: await openOn(server, proxy.endpoint),
    /** How many requests of a kind came. */
    count: (kind: (request: S3Request) => boolean) => proxy.requests.filter(kind).length,
    /** Disturbs some requests, each so often. */
    disturb: (kind: (request: S3Request) => boolean, fault: S3Fault, times = Infinity) =>
      proxy.set((request) => (kind(request) && request.nth <= times ? fault : undefined)),
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

describeWith([versityGw], "an S3 store that is out of order", () => {
  test.each<[string, S3Fault]>([
    ["says SlowDown", { kind: "slow-down" }],
    ["resets connections before it answers", { kind: "reset", when: "before" }],
    ["resets connections while it is told", { kind: "reset", when: "in-request" }],
    ["resets connections while it answers", { kind: "reset", when: "in-answer" }],
    ["answers 200 with an error", { kind: "error-body" }],
    ["is slow", { kind: "delay", delayMs: 20 }],
  ])("is not noticed where it %s at first", async (_name, fault) => {
    await using place = await faulty();
    const { store, disturb, proxy } = place;
    // An answer without a length has no middle; and a body goes with writing alone.
    disturb((request) => !(fault.kind === "error-body" && isGet(request)), fault, 2);
    if (fault.kind === "reset" && fault.when === "in-request")
      disturb((r) => isPart(r) || isPut(r), fault, 2);
    expect(await store.guarantees(never)).toEqual({ ifAbsent: true });
    expect(await store.put("a/large", pieces(large), { ifAbsent: true, signal: never })).toEqual({
      sizeBytes: large.length,
    });
    await store.put("a/small", pieces(Buffer.from("small")), { ifAbsent: true, signal: never });
    expect(await keys(store)).toEqual(["a/large", "a/small"]);
    expect((await read(store, "a/large")).equals(large)).toBe(true);
    await store.delete("a/small", never);
    expect(await keys(store)).toEqual(["a/large"]);
    expect(proxy.requests.some((request) => request.fault !== undefined)).toBe(true);
    // Where the answer to its begin was lost, an upload is left that nobody knows.
    const tomorrow = await openOn(place.server, place.server.endpoint, { clock: impatient(DAY_MS + 60_000) });
    await tomorrow.sweep("a", never);
    expect(await pendingUploads(place.server)).toEqual([]);
  });

  test.each<[string, (request: S3Request) => boolean, S3Fault, string]>([
    ["begin of an upload", isCreate, { kind: "slow-down" }, "store-unavailable"],
    ["part", isPart, { kind: "slow-down" }, "store-unavailable"],
    ["part that is reset", isPart, { kind: "reset", when: "in-request" }, "unreachable"],
    ["end of an upload", isComplete, { kind: "slow-down" }, "store-unavailable"],
    [
      "end of an upload, by an error with status 200",
      isComplete,
      { kind: "error-body" },
      "store-unavailable",
    ],
  ])(
    "fails a put for good where it never takes the %s, and keeps nothing",
    async (_name, kind, fault, code) => {
      await using place = await faulty();
      place.disturb(kind, fault);
      const source = pieces(large);
      await expect(place.store.put("a/1", source, { signal: never })).rejects.toMatchObject({
        code,
        transient: true,
        subject: `s3://${place.server.bucket}/${PREFIX}/a/1`,
      });
      expect(source.destroyed).toBe(true);
      expect(await allKeys(place.server)).toEqual([]);
      expect(await pendingUploads(place.server)).toEqual([]);
    },
  );

  test("ends a put whose parts are not taken, though its source says nothing more", async () => {
    await using place = await faulty();
    place.disturb(isPart, { kind: "slow-down" });
    const source = new Readable({ read: () => undefined });
    source.push(Buffer.alloc(PART_BYTES + 1));
    await expect(place.store.put("a/1", source, { signal: never })).rejects.toMatchObject({
      code: "store-unavailable",
    });
    expect(source.destroyed).toBe(true);
    expect(await pendingUploads(place.server)).toEqual([]);
  });

  test.each([true, false])(
    "whose answer to the end of an upload is lost has stored it (if absent: %s)",
    async (ifAbsent) => {
      await using place = await faulty();
      place.disturb(isComplete, { kind: "lose-answer" }, 1);
      const put = place.store.put("a/1", pieces(large), { ifAbsent, signal: never });
      expect(await put).toEqual({ sizeBytes: large.length });
      expect(place.count(isComplete)).toBe(2);
      expect((await read(place.store, "a/1")).equals(large)).toBe(true);
      expect(await pendingUploads(place.server)).toEqual([]);
    },
  );

  test("whose answer to a conditional write is lost has stored it", async () => {
    await using place = await faulty();
    place.disturb(isPut, { kind: "lose-answer" }, 1);
    await place.store.put("a/1", pieces(Buffer.from("ours")), { ifAbsent: true, signal: never });
    expect(place.count(isPut)).toBe(2);
    expect((await read(place.store, "a/1")).toString()).toBe("ours");
  });

  test.each([Buffer.from("theirs"), large])(
    "whose answer is lost has not stored what lost the race",
    async (content) => {
      await using place = await faulty();
      const other = await openOn(place.server, place.server.endpoint);
      await other.put("a/1", pieces(Buffer.from("theirs")), { signal: never });
      place.disturb((request) => isPut(request) || isComplete(request), { kind: "lose-answer" }, 1);
      const put = place.store.put("a/1", pieces(content), { ifAbsent: true, signal: never });
      await expect(put).rejects.toMatchObject({ code: "already-exists", transient: false });
      expect((await read(other, "a/1")).toString()).toBe("theirs");
      expect(await pendingUploads(place.server)).toEqual([]);
    },
  );

  test("that loses the answer to the begin of an upload leaves one behind, which a sweep removes a day later", async () => {
    await using place = await faulty();
    const { server, store, proxy } = place;
    place.disturb(isCreate, { kind: "lose-answer" }, 1);
    await store.put("a/1", pieces(large), { signal: never });
    expect(await pendingUploads(server)).toEqual([`${PREFIX}/a/1`]);
    expect(await store.sweep("a", never)).toBe(0);
    const tomorrow = await openOn(server, proxy.endpoint, { clock: impatient(DAY_MS + 60_000) });
    expect(await tomorrow.sweep("a", never)).toBe(1);
    expect(await pendingUploads(server)).toEqual([]);
    expect((await read(store, "a/1")).equals(large)).toBe(true);
  });

  test.each<[string, S3Fault]>([
    ["an error with status 200", { kind: "error-body" }],
    ["another error with status 200", { kind: "error-body", code: "AccessDenied" }],
    ["SlowDown", { kind: "slow-down" }],
  ])("that answers a listing with %s is never taken for an empty one", async (_name, fault) => {
    await using place = await faulty();
    await place.store.put("a/1", pieces(Buffer.from("x")), { signal: never });
    place.disturb(isList, fault);
    await expect(place.store.list("a/", never)).rejects.toMatchObject({ operation: "list" });
  });

  test("whose answer to a read is cut is asked for the rest alone", async () => {
    await using place = await faulty();
    await place.store.put("a/1", pieces(large), { signal: never });
    place.disturb(isGet, { kind: "reset", when: "in-answer" }, 4);
    expect((await read(place.store, "a/1")).equals(large)).toBe(true);
    expect(place.count(isGet)).toBe(5);
  });

  test("fails a stream, rather than end it early, when the rest doesn't come", async () => {
    await using place = await faulty();
    await place.store.put("a/1", pieces(large), { signal: never });
    place.proxy.set((request) =>
      isGet(request) ? { kind: "reset", when: request.nth === 1 ? "in-answer" : "before" } : undefined,
    );
    const stream = await place.store.get("a/1", never);
    await expect(readSize(stream)).rejects.toMatchObject({ code: "unreachable", transient: true });
  });

  test("fails a stream whose object is replaced while it is read", async () => {
    await using place = await faulty();
    const other = await openOn(place.server, place.server.endpoint);
    await other.put("a/1", pieces(large), { signal: never });
    place.disturb(isGet, { kind: "reset", when: "in-answer" }, 1);
    const stream = await place.store.get("a/1", never);
    await other.put("a/1", pieces(Buffer.alloc(large.length)), { signal: never });
    await expect(readSize(stream)).rejects.toMatchObject({ code: "replaced", transient: true });
  });

  test("that gives back another byte than it took is noticed by the checksum of a small object", async () => {
    await using place = await faulty();
    await place.store.put("a/1", pieces(Buffer.from('{"sizeBytes":1}')), { signal: never });
    place.disturb(isGet, { kind: "corrupt", atByte: 13 });
    await expect(read(place.store, "a/1")).rejects.toMatchObject({ code: "corrupt" });
    place.disturb(isGet, { kind: "slow-down" }, 1);
    expect((await read(place.store, "a/1")).toString()).toBe('{"sizeBytes":1}');
  });

  test("keeps nothing of a large object whose source fails", async () => {
    await using place = await faulty();
    const cause = new Error("the leader went away");
    async function* failing() {
      yield large;
      throw cause;
    }
    const put = place.store.put("a/1", Readable.from(failing(), { objectMode: false }), { signal: never });
    await expect(put).rejects.toBe(cause);
    expect(place.count(isAbort)).toBe(1);
    expect(await pendingUploads(place.server)).toEqual([]);
  });

  test.each<[string, Buffer, (request: S3Request) => boolean]>([
    ["small", Buffer.from("small"), isPut],
    ["large", large, isComplete],
  ])(
    "says of a %s object what became of it, though the put is aborted at the end",
    async (_, content, last) => {
      await using place = await faulty();
      const store = await openOn(place.server, place.proxy.endpoint, { clock: systemClock });
      const abort = new AbortController();
      place.proxy.set((request) => {
        if (last(request)) abort.abort(new Error("told to stop"));
        return undefined;
      });
      const put = store.put("a/1", pieces(content), { ifAbsent: true, signal: abort.signal });
      expect(await put).toEqual({ sizeBytes: content.length });
      expect((await read(store, "a/1")).equals(content)).toBe(true);
    },
  );

  test("is not waited for without an end, when a put is aborted at the end", async () => {
    await using place = await faulty();
    const abort = new AbortController();
    const reason = new Error("told to stop");
    place.proxy.set((request) => {
      if (isPut(request)) abort.abort(reason);
      return isPut(request) ? { kind: "slow-down" } : undefined;
    });
    const put = place.store.put("a/1", pieces(Buffer.from("x")), { signal: abort.signal });
    await expect(put).rejects.toBe(reason);
    expect(await allKeys(place.server)).toEqual([]);
  });

  test("keeps no parts of a put that is aborted while they are on their way", async () => {
    await using server = await startVersityGw();
    const store = await openOn(server, server.endpoint);
    const abort = new AbortController();
    const reason = new Error("told to stop");
    async function* parts() {
      for (let part = 1; part <= 3; part++) yield large.subarray(0, PART_BYTES);
      yield large;
      abort.abort(reason);
      yield large;
    }
    const source = Readable.from(parts(), { objectMode: false });
    await expect(store.put("a/1", source, { signal: abort.signal })).rejects.toBe(reason);
    expect(await allKeys(server)).toEqual([]);
    expect(await pendingUploads(server)).toEqual([]);
  });

  test.each([
    ["an empty body", ""],
    ["a web page", "<!DOCTYPE html><html><body><h1>404</h1></body></html>"],
    ["a web page that is no XML", "<html><body>Not Found<br><hr></body>"],
    ["a line of text", "404 page not found"],
    ["no error of S3", "<?xml version='1.0'?><Fault><Reason>no route</Reason></Fault>"],
  ])("has not lost an object because of a 404 with %s", async (_name, body) => {
    await using place = await faulty();
    const { store, disturb, count } = place;
    await store.put("a/1", pieces(Buffer.from("x")), { signal: never });
    disturb(isGet, { kind: "answer", status: 404, body }, 2);
    expect((await read(store, "a/1")).toString()).toBe("x");
    expect(count(isGet)).toBe(3);
    const strange = { code: "unexpected-answer", transient: true, cause: expect.stringContaining("a 404") };
    disturb((request) => isGet(request) || isList(request), { kind: "answer", status: 404, body });
    await expect(store.get("a/1", never)).rejects.toMatchObject(strange);
    await expect(store.list("a/", never)).rejects.toMatchObject(strange);
    disturb(() => false, { kind: "slow-down" });
    await expect(store.get("a/2", never)).rejects.toMatchObject({ code: "not-found", transient: false });
  });

  test("takes the word of a store that names a missing object when it is to be removed", async () => {
    await using place = await faulty();
    const { store, disturb } = place;
    const isDelete = ({ method }: S3Request) => method === "DELETE";
    disturb(isDelete, { kind: "answer", status: 404, body: s3Error("NoSuchKey") });
    await store.delete("a/1", never);
    // A web page is nobody's word, and a bucket is no object.
    disturb(isDelete, { kind: "answer", status: 404, body: "<html>not found</html>" });
    await expect(store.delete("a/1", never)).rejects.toMatchObject({ code: "unexpected-answer" });
    disturb(isDelete, { kind: "answer", status: 404, body: s3Error("NoSuchBucket") });
    await expect(store.delete("a/1", never)).rejects.toMatchObject({ code: "no-such-bucket" });
  });

  test("says of an object in an archive class how it is read again, and does not ask twice", async () => {
    await using place = await faulty();
    const { store, disturb, count } = place;
    disturb(isGet, { kind: "answer", status: 403, body: s3Error("InvalidObjectState") });
    await expect(store.get("a/1", never)).rejects.toMatchObject({
      code: "in-cold-storage",
      cause: expect.stringContaining("Glacier"),
      hint: expect.stringContaining("restore-object"),
      transient: false,
    });
    expect(count(isGet)).toBe(1);
  });

  test.each([
    ["an empty page", ""],
    ["a web page", "<!DOCTYPE html><html><body>Welcome</body></html>"],
    ["half a listing", "<ListBucketResult><Name>bucket</Name><Contents><Key>our/redis/a/1</K"],
    ["a listing without a name", "<ListBucketResult></ListBucketResult>"],
  ])("is not what answers every request with %s", async (_name, body) => {
    const server = createServer((_request, response) => response.end(body)).listen(0, "127.0.0.1");
    try {
      const endpoint = `http://127.0.0.1:${await portOf(server)}`;
      const keys = { accessKeyId: "key", secretAccessKey: "secret" };
      const store = await openOn({ ...keys, bucket: "bucket", region: "us-east-1" }, endpoint);
      const failure = {
        code: "unexpected-answer",
        cause: expect.stringContaining(endpoint),
        transient: true,
      };
      await expect(store.list("a/", never)).rejects.toMatchObject(failure);
      await expect(store.put("a/1", pieces(Buffer.from("x")), { signal: never })).rejects.toMatchObject(
        failure,
      );
    } finally {
      server.close();
      server.closeAllConnections();
    }
  });
});
