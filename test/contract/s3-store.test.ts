import { createServer, request as sendRequest } from "node:http";
import { Readable } from "node:stream";
import { buffer } from "node:stream/consumers";
import { PutObjectCommand } from "@aws-sdk/client-s3";
import { expect, test } from "vitest";
import { portOf } from "../support/fault-proxy";
import { startVersityGw, versityGw } from "../support/s3-servers";
import { describeWith } from "../support/tools";
import { allKeys, impatient, openOn, PREFIX, s3TestStore } from "./store-s3-support";
import { storeSuite } from "./store-suite";

const never = new AbortController().signal;
const bytes = (content: string) => Readable.from([Buffer.from(content)], { objectMode: false });
const DAY_MS = 24 * 60 * 60_000;

describeWith([versityGw], "versitygw", () => {
  storeSuite("S3", s3TestStore(startVersityGw));

  test("an S3 store lists more objects than an answer of S3 holds", async () => {
    await using server = await startVersityGw();
    const { client, bucket: Bucket } = server;
    const names = Array.from({ length: 1203 }, (_, number) => `a/${String(number).padStart(5, "0")}`);
    for (let from = 0; from < names.length; from += 50)
      await Promise.all(
        names
          .slice(from, from + 50)
          .map((name) => client.send(new PutObjectCommand({ Bucket, Key: `${PREFIX}/${name}`, Body: "x" }))),
      );
    const store = await openOn(server, server.endpoint);
    expect((await store.list("a/", never)).map(({ key }) => key)).toEqual(names);
    expect(await store.keysBetween("a/00100", "a/01200~", never)).toEqual(names.slice(101, 1201));
  });

  test("an S3 store passes over what is not its own", async () => {
    await using server = await startVersityGw();
    const { client, bucket: Bucket } = server;
    for (const Key of [
      "top",
      `${PREFIX}-2/a/1`,
      `${PREFIX}/loose`,
      `${PREFIX}/a/deep/er`,
      `${PREFIX}/a/.hidden`,
      `${PREFIX}/a/50% + ü & <x>`,
      `${PREFIX}/a/1`,
    ])
      await client.send(new PutObjectCommand({ Bucket, Key, Body: "x" }));
    const keys = async (prefix: string | undefined, from: string) => {
      const store = await openOn(server, server.endpoint, prefix === undefined ? {} : { prefix });
      return (await store.list(from, never)).map(({ key }) => key);
    };
    expect(await keys(PREFIX, "")).toEqual(["a/1"]);
    expect(await keys(PREFIX, "a/")).toEqual(["a/1"]);
    expect(await keys("our", "")).toEqual(["redis/loose"]);
    expect(await keys("", "")).toEqual([]);
  });

  test("an S3 store needs no prefix", async () => {
    await using server = await startVersityGw();
    const store = await openOn(server, server.endpoint, { prefix: "" });
    expect(store.url).toBe(`s3://${server.bucket}`);
    await store.put("a/1", bytes("x"), { ifAbsent: true, signal: never });
    expect(await allKeys(server)).toEqual(["a/1"]);
    expect((await buffer(await store.get("a/1", never))).toString()).toBe("x");
    expect(await store.sweep("a", never)).toBe(0);
  });

  test("what finding out about conditions has left is swept a day later, and nothing that sounds like it", async () => {
    await using server = await startVersityGw();
    const { client, bucket: Bucket } = server;
    const probe = `${PREFIX}/redis-addon-probe-0123456789abcdef`;
    const others = [`${PREFIX}/redis-addon-probe-0123456789abcdeg/1`, `${PREFIX}/redis-addon-probe-mine`];
    for (const Key of [probe, ...others]) await client.send(new PutObjectCommand({ Bucket, Key, Body: "x" }));
    const store = await openOn(server, server.endpoint);
    expect(await store.sweep("a", never)).toBe(0);
    const tomorrow = await openOn(server, server.endpoint, { clock: impatient(DAY_MS + 60_000) });
    expect(await tomorrow.sweep("a", never)).toBe(1);
    expect(await allKeys(server)).toEqual(others);
  });

  test("a store that refuses conditions is written to without, once it was seen that nothing is there", async () => {
    await using server = await startVersityGw();
    // The one thing such a store does otherwise; all else is the real one.
    const proxy = createServer((incoming, response) => {
      if (incoming.headers["if-none-match"] !== undefined) {
        incoming.resume();
        response.writeHead(501).end("<Error><Code>NotImplemented</Code></Error>");
        return;
      }
      const { method, url: path, headers } = incoming;
      const target = new URL(server.endpoint);
      const outgoing = sendRequest({ hostname: target.hostname, port: target.port, method, path, headers });
      outgoing.once("response", (answer) => {
        response.writeHead(answer.statusCode ?? 500, answer.headers);
        answer.pipe(response);
      });
      incoming.pipe(outgoing);
    }).listen(0, "127.0.0.1");
    try {
      const store = await openOn(server, `http://127.0.0.1:${await portOf(proxy)}`);
      expect(await store.guarantees(never)).toEqual({ ifAbsent: false });
      await store.put("a/1", bytes("x"), { ifAbsent: true, signal: never });
      const again = store.put("a/1", bytes("y"), { ifAbsent: true, signal: never });
      await expect(again).rejects.toMatchObject({ code: "already-exists" });
      expect((await buffer(await store.get("a/1", never))).toString()).toBe("x");
      expect(await allKeys(server)).toEqual([`${PREFIX}/a/1`]);
    } finally {
      proxy.close();
      proxy.closeAllConnections();
    }
  });
});
