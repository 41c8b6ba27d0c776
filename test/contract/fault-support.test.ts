// The test support's own faults: a proxy that does less than it says would let other tests pass in vain.
import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import {
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  GetObjectCommand,
  PutObjectCommand,
  S3Client,
  UploadPartCommand,
} from "@aws-sdk/client-s3";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startFaultProxy } from "../support/fault-proxy";
import { inSmallDisk, seenBy, smallDisk } from "../support/full-disk";
import { startRedisServer, until } from "../support/redis-server";
import { startS3FaultProxy, type S3FaultProxy } from "../support/s3-fault-proxy";
import { startVersityGw, type VersityGw, versityGw } from "../support/s3-servers";
import { describeWith } from "../support/tools";

describe("a proxy in front of a Redis server", () => {
  async function setUp() {
    const server = await startRedisServer();
    const proxy = await startFaultProxy(server.port);
    const socket = connect(proxy.port, "127.0.0.1");
    await once(socket, "connect");
    // Not once(): that fails for a reset, which is an end as well.
    const ended = new Promise((resolve) => socket.once("close", resolve));
    let received = "";
    let code: string | undefined;
    socket.setEncoding("latin1").on("data", (text: string) => (received += text));
    socket.on("error", (error: NodeJS.ErrnoException) => (code = error.code));
    return {
      server,
      proxy,
      socket,
      ended,
      received: () => received,
      code: () => code,
      async [Symbol.asyncDispose]() {
        socket.destroy();
        await proxy[Symbol.asyncDispose]();
        await server[Symbol.asyncDispose]();
      },
    };
  }

  it("changes nothing until it is told to", async () => {
    await using link = await setUp();
    link.socket.write(`ECHO ${"x".repeat(60_000)}\r\nQUIT\r\n`);
    await link.ended;
    expect(link.received()).toBe(`$60000\r\n${"x".repeat(60_000)}\r\n+OK\r\n`);
    expect(link.code()).toBeUndefined();
  });

  it.each(["end", "reset"] as const)("cuts after so many bytes from the server, by %s", async (cut) => {
    await using link = await setUp();
    link.proxy.set({ fromServer: { cutAfterBytes: 10, cut } });
    link.socket.write("PING\r\nPING\r\n");
    await link.ended;
    expect(link.proxy.cuts()).toBe(1);
    if (cut === "end") expect(link.received()).toBe("+PONG\r\n+PO");
    else expect(link.code()).toBe("ECONNRESET");
  });

  it("cuts after so many bytes from the client", async () => {
    await using link = await setUp();
    link.proxy.set({ fromClient: { cutAfterBytes: 3 } });
    link.socket.write("PING\r\n");
    await link.ended;
    expect(link.received()).toBe("");
  });

  it("stalls with connections open, and goes on where it was", async () => {
    await using link = await setUp();
    link.proxy.set({ fromServer: { stall: true } });
    link.socket.write("ECHO one\r\n");
    const { client } = link.server;
    await until("the server's answer", async () =>
      /cmdstat_echo:calls=1/.test(await client.info("commandstats")),
    );
    await client.ping();
    expect(link.received()).toBe("");
    link.proxy.set({});
    await until("the answer to come through", () => link.received() === "$3\r\none\r\n");
    expect(link.proxy.cuts()).toBe(0);
  });

  it("refuses new connections and resets the ones there are", async () => {
    await using link = await setUp();
    link.proxy.set({ refuse: true });
    const refused = connect(link.proxy.port, "127.0.0.1");
    await expect(once(refused.resume(), "end")).rejects.toMatchObject({ code: "ECONNRESET" });
    link.proxy.resetAll();
    await link.ended;
    expect(link.code()).toBe("ECONNRESET");
  });
});

describeWith([versityGw], "a proxy in front of an S3 server", () => {
  let server: VersityGw;
  let proxy: S3FaultProxy;
  let client: S3Client;
  const body = Buffer.alloc(300_000, "redis");

  beforeAll(async () => {
    server = await startVersityGw();
    proxy = await startS3FaultProxy(server.endpoint);
    const { endpoint } = proxy;
    client = new S3Client({
      endpoint,
      region: server.region,
      credentials: server,
      forcePathStyle: true,
      maxAttempts: 1,
      responseChecksumValidation: "WHEN_REQUIRED",
    });
  });
  afterAll(async () => {
    client.destroy();
    await proxy[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  const put = (key: string) =>
    client.send(new PutObjectCommand({ Bucket: server.bucket, Key: key, Body: body }));
  /** Without the client's own check of what it receives. */
  const get = async (key: string, through = client) => {
    const answer = await through.send(new GetObjectCommand({ Bucket: server.bucket, Key: key }));
    return Buffer.from((await answer.Body?.transformToByteArray()) ?? []);
  };

  it("leaves signatures valid and bodies whole", async () => {
    proxy.set(() => undefined);
    await put("whole");
    expect((await get("whole")).equals(body)).toBe(true);
    const parts = Array.from({ length: 3 }, () => randomBytes(6 * 1024 * 1024));
    const object = { Bucket: server.bucket, Key: "parts" };
    const { UploadId } = await client.send(new CreateMultipartUploadCommand(object));
    const Parts = await Promise.all(
      parts.map(async (Body, i) => {
        const part = { ...object, UploadId, PartNumber: i + 1 };
        const { ETag } = await client.send(new UploadPartCommand({ ...part, Body }));
        return { ETag, PartNumber: i + 1 };
      }),
    );
    await client.send(
      new CompleteMultipartUploadCommand({ ...object, UploadId, MultipartUpload: { Parts } }),
    );
    expect((await get("parts")).equals(Buffer.concat(parts))).toBe(true);
  });

  it("answers SlowDown the first time only", async () => {
    proxy.set(({ method, nth }) => (method === "PUT" && nth === 1 ? { kind: "slow-down" } : undefined));
    await expect(put("slow")).rejects.toMatchObject({ name: "SlowDown", $metadata: { httpStatusCode: 503 } });
    await put("slow");
    expect(
      proxy.requests.filter(({ path }) => path.endsWith("/slow")).map(({ fault }) => fault?.kind),
    ).toEqual(["slow-down", undefined]);
  });

  it("loses the answer to a request that was carried out", async () => {
    proxy.set(() => ({ kind: "lose-answer" }));
    await expect(put("lost")).rejects.toThrow();
    expect((await get("lost", server.client)).equals(body)).toBe(true);
  });

  it.each(["before", "in-request"] as const)("resets %s, and nothing is stored", async (when) => {
    proxy.set(() => ({ kind: "reset", when }));
    await expect(put(when)).rejects.toMatchObject({ code: expect.stringMatching("ECONNRESET|EPIPE") });
    await expect(get(when, server.client)).rejects.toMatchObject({ name: "NoSuchKey" });
  });

  it("resets in the middle of an answer", async () => {
    proxy.set(() => undefined);
    await put("cut");
    proxy.set(() => ({ kind: "reset", when: "in-answer" }));
    await expect(get("cut")).rejects.toThrow();
  });

  it("corrupts one byte of an answer", async () => {
    proxy.set(() => undefined);
    await put("bad");
    proxy.set(() => ({ kind: "corrupt", atByte: 200_000 }));
    const found = await get("bad");
    expect(found.length).toBe(body.length);
    expect([...found.keys()].filter((at) => found[at] !== body[at])).toEqual([200_000]);
  });

  it("answers 200 with an error as the body", async () => {
    proxy.set(() => ({ kind: "error-body" }));
    expect((await get("whole")).toString()).toContain("<Code>InternalError</Code>");
  });
});

describeWith([smallDisk], "a small disk", () => {
  it("is full for its program alone, which keeps its process id", async () => {
    const folder = await mkdtemp(join(tmpdir(), "small-disk-"));
    const [program, ...args] = inSmallDisk({ folder, sizeMiB: 1 });
    const script = 'cat /dev/zero > "$0/zeros"; echo $$; read -r end';
    const child = spawn(program, [...args, "sh", "-c", script, folder], { stdio: ["pipe", "pipe", "pipe"] });
    try {
      const [printed] = (await once(child.stdout, "data")) as [Buffer];
      expect(Number(printed.toString())).toBe(child.pid);
      expect(await readFile(seenBy(child.pid ?? 0, join(folder, "zeros")))).toHaveLength(1024 * 1024);
      await expect(readFile(join(folder, "zeros"))).rejects.toMatchObject({ code: "ENOENT" });
    } finally {
      child.kill("SIGKILL");
      await rm(folder, { recursive: true });
    }
  });
});
