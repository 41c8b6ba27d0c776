import { PutBucketPolicyCommand, PutObjectCommand } from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { type S3Fault, type S3Request, s3Error, startS3FaultProxy } from "../support/s3-fault-proxy";
import { startVersityGw, versityGw } from "../support/s3-servers";
import { describeWith } from "../support/tools";
import { allKeys, openOn, PREFIX } from "./store-s3-support";

const never = new AbortController().signal;
const KEYS = ["a/1", "a/2", "a/3"];

const isBulk = ({ method, query }: S3Request) => method === "POST" && query.has("delete");
const isSingle = ({ method }: S3Request) => method === "DELETE";
const answer = (body: string): S3Fault => ({ kind: "answer", status: 200, body });
const result = (content: string) => `<?xml version="1.0"?><DeleteResult>${content}</DeleteResult>`;

async function filled() {
  const server = await startVersityGw();
  const proxy = await startS3FaultProxy(server.endpoint);
  for (const key of [...KEYS, "a/stays"])
    await server.client.send(
      new PutObjectCommand({ Bucket: server.bucket, Key: `${PREFIX}/${key}`, Body: "x" }),
    );
  return {
    server,
    proxy,
    store: await openOn(server, proxy.endpoint),
    count: (kind: (request: S3Request) => boolean) => proxy.requests.filter(kind).length,
    left: async () => (await allKeys(server)).map((key) => key.slice(PREFIX.length + 1)),
    async [Symbol.asyncDispose]() {
      await proxy[Symbol.asyncDispose]();
      await server[Symbol.asyncDispose]();
    },
  };
}

describeWith([versityGw], "many objects of an S3 store", () => {
  test("go by one request for a thousand", async () => {
    await using place = await filled();
    const many = Array.from({ length: 1500 }, (_, number) => `b/${number}`);
    expect(await place.store.deleteMany([...KEYS, ...many], never)).toEqual([]);
    expect([place.count(isBulk), place.count(isSingle)]).toEqual([2, 0]);
    expect(await place.left()).toEqual(["a/stays"]);
  });

  test.each<[string, S3Fault]>([
    ["says SlowDown", { kind: "slow-down" }],
    ["resets the connection", { kind: "reset", when: "before" }],
    ["does it, and its answer is lost", { kind: "lose-answer" }],
    ["answers 200 with an error", { kind: "error-body" }],
  ])("go by the same request again where the store %s at first", async (_name, fault) => {
    await using place = await filled();
    place.proxy.set((request) => (isBulk(request) && request.nth <= 2 ? fault : undefined));
    expect(await place.store.deleteMany(KEYS, never)).toEqual([]);
    expect([place.count(isBulk), place.count(isSingle)]).toEqual([3, 0]);
    expect(await place.left()).toEqual(["a/stays"]);
  });

  test.each([
    ["does not know such requests", 501, "NotImplemented"],
    ["does not permit them", 405, "MethodNotAllowed"],
    ["wants a header that nobody sends any more", 400, "MissingContentMD5"],
  ])("go one by one where the store %s, which is not asked a second time", async (_name, status, code) => {
    await using place = await filled();
    place.proxy.set((request) =>
      isBulk(request) ? { kind: "answer", status, body: s3Error(code) } : undefined,
    );
    expect(await place.store.deleteMany(KEYS.slice(1), never)).toEqual([]);
    expect(await place.store.deleteMany(KEYS, never)).toEqual([]);
    expect([place.count(isBulk), place.count(isSingle)]).toEqual([1, 5]);
    expect(await place.left()).toEqual(["a/stays"]);
  });

  test("of which the answer tells nothing, or that they failed for a moment, are asked for one by one", async () => {
    await using place = await filled();
    const [gone, busy] = KEYS.map((key) => `<Key>${PREFIX}/${key}</Key>`);
    const failed = `<Error>${busy}<Code>InternalError</Code><Message>later</Message></Error>`;
    const body = result(`<Deleted>${gone}</Deleted>${failed}`);
    place.proxy.set((request) => (isBulk(request) ? answer(body) : undefined));
    expect(await place.store.deleteMany(KEYS, never)).toEqual([]);
    expect(place.count(isSingle)).toBe(2);
    // The first was only said to be gone.
    expect(await place.left()).toEqual(["a/1", "a/stays"]);
    expect(await place.store.deleteMany(["a/stays"], never)).toEqual([]);
    expect(await place.left()).toEqual(["a/1"]);
  });

  test("that may not be removed are named, each with why, and the others go", async () => {
    await using place = await filled();
    const { server, proxy } = place;
    const user = await server.addUser();
    const arn = `arn:aws:s3:::${server.bucket}`;
    const Statement = [
      { Effect: "Allow", Principal: user.accessKeyId, Action: "s3:*", Resource: [arn, `${arn}/*`] },
      {
        Effect: "Deny",
        Principal: user.accessKeyId,
        Action: "s3:DeleteObject",
        Resource: [`${arn}/${PREFIX}/a/2`],
      },
    ];
    const Policy = JSON.stringify({ Version: "2012-10-17", Statement });
    await server.client.send(new PutBucketPolicyCommand({ Bucket: server.bucket, Policy }));
    const store = await openOn({ ...server, ...user }, proxy.endpoint);
    const failed = await store.deleteMany(KEYS, never);
    expect(failed.map(({ key, failure }) => [key, failure.code])).toEqual([["a/2", "forbidden"]]);
    expect(failed[0]?.failure).toMatchObject({
      subject: `${store.url}/a/2`,
      cause: "access is denied: the key may not do s3:DeleteObject",
    });
    expect(await place.left()).toEqual(["a/2", "a/stays"]);
  });

  test("stay where the store can't be asked, which is no failure of each of them", async () => {
    await using place = await filled();
    place.proxy.set(() => ({ kind: "slow-down" }));
    await expect(place.store.deleteMany(KEYS, never)).rejects.toMatchObject({
      code: "store-unavailable",
      transient: true,
    });
    place.proxy.set((request) =>
      isBulk(request)
        ? { kind: "answer", status: 501, body: s3Error("NotImplemented") }
        : { kind: "slow-down" },
    );
    await expect(place.store.deleteMany(KEYS, never)).rejects.toMatchObject({ code: "store-unavailable" });
    expect(await place.left()).toEqual([...KEYS, "a/stays"]);
  });
});
