import { execFile } from "node:child_process";
import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createServer, type TLSSocket } from "node:tls";
import { promisify } from "node:util";
import { expect, test } from "vitest";
import { TlsRelay } from "../../provider/agent/replication/leader/tls-relay";
import type { Failure } from "../../provider/core/errors";
import { makeAuthority } from "../support/certificates";
import { freePort, until } from "../support/redis-server";

const HOST = "127.0.0.1";
const authority = makeAuthority();
const certified = authority.issue(["redis.example"]);
const TLS = { ca: authority.certificate, serverName: "redis.example" };
const MEGABYTE = 1024 ** 2;

/** A relay to a server of a test's own, which is handed each connection. */
async function relayTo(serve: (socket: TLSSocket) => void) {
  const sockets = new Set<TLSSocket>();
  const server = createServer(
    { cert: certified.certificate, key: certified.key, allowHalfOpen: true },
    (socket) => {
      sockets.add(socket);
      socket.on("error", () => undefined);
      serve(socket);
    },
  ).listen(0, HOST);
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  const told: (Failure | undefined)[] = [];
  const relay = await TlsRelay.open({ host: HOST, port, password: "", tls: TLS }, (failure) => {
    told.push(failure);
  });
  return {
    relay,
    told,
    sockets,
    dial: async (): Promise<Socket> => {
      const { port: near } = relay.addressFor({ password: "" });
      const socket = connect({ host: HOST, port: near, allowHalfOpen: true });
      socket.on("error", () => undefined);
      await once(socket, "connect");
      return socket;
    },
    async [Symbol.asyncDispose]() {
      await relay[Symbol.asyncDispose]();
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

async function all(socket: Socket): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of socket.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>)
    parts.push(part);
  return Buffer.concat(parts);
}

test("whoever has said all that it has to say still hears all of the answer", async () => {
  await using way = await relayTo((socket) => {
    void all(socket).then((asked) => socket.end(`heard ${asked.length}`));
  });
  const socket = await way.dial();
  const question = Buffer.alloc(3 * MEGABYTE, "q");
  socket.end(question);
  expect((await all(socket)).toString()).toBe(`heard ${question.length}`);
  socket.destroy();
  expect(way.told).toEqual([undefined]);
});

test("a leader that ends first still hears what its follower says after that", async () => {
  const heard = Promise.withResolvers<Buffer>();
  await using way = await relayTo((socket) => {
    socket.end("that was all");
    void all(socket).then(heard.resolve);
  });
  const socket = await way.dial();
  expect((await all(socket)).toString()).toBe("that was all");
  socket.end("an answer");
  expect((await heard.promise).toString()).toBe("an answer");
});

test("a follower that reads nothing holds its leader up, instead of filling the agent's memory", async () => {
  let passed = 0;
  await using way = await relayTo((socket) => {
    const piece = Buffer.alloc(MEGABYTE);
    const write = () => {
      while (passed < 200) {
        passed++;
        if (!socket.write(piece)) return;
      }
      socket.end();
    };
    socket.on("drain", write);
    write();
  });
  const socket = await way.dial();
  socket.pause();
  let [before, looks] = [-1, 0];
  // The systems' buffers fill first; after that nothing moves.
  await until("the leader waits", () => {
    looks = passed === before ? looks + 1 : 0;
    before = passed;
    return looks > 30;
  });
  expect(passed).toBeLessThan(100);
  expect((await all(socket)).length).toBe(200 * MEGABYTE);
});

test("a leader that is lost ends its follower's connection, after what it had sent", async () => {
  await using way = await relayTo((socket) => {
    socket.write("the last words");
  });
  const socket = await way.dial();
  const [words] = (await once(socket, "data")) as [Buffer];
  expect(words.toString()).toBe("the last words");
  for (const leader of way.sockets) leader.destroy();
  await once(socket, "end");
});

test("a follower that is lost leaves no connection to the leader behind", async () => {
  await using way = await relayTo(() => undefined);
  const socket = await way.dial();
  await until("they are linked", () => way.sockets.size === 1);
  const [leader] = way.sockets;
  socket.resetAndDestroy();
  await until(
    "the leader's side is closed",
    () => leader?.destroyed === true || leader?.readableEnded === true,
  );
});

test("what keeps a link from being made is told by its cause, and the next attempt is made all the same", async () => {
  const port = await freePort();
  const told: (Failure | undefined)[] = [];
  const leader = { host: HOST, port, password: "", tls: TLS };
  await using relay = await TlsRelay.open(leader, (failure) => {
    told.push(failure);
  });
  const attempt = async () => {
    const socket = connect(relay.addressFor({ password: "" }));
    socket.on("error", () => undefined);
    socket.resume();
    await new Promise((resolve) => socket.once("close", resolve));
  };
  await attempt();
  expect(told.at(-1)).toMatchObject({ code: "refused", subject: `the leader ${HOST}:${port}` });
  expect(relay.accepts({ ...leader, tls: { certificate: "no PEM", key: "s3cret" } })).toBe(true);
  await attempt();
  expect(told.at(-1)).toMatchObject({ code: "tls-bad-file" });
  expect(String(told)).not.toContain("s3cret");
  expect(relay.accepts({ ...leader, host: "elsewhere.example" })).toBe(false);
});

test("it is reached from this machine alone, and ends with all that it relays", async () => {
  const way = await relayTo(() => undefined);
  const socket = await way.dial();
  expect(socket.remoteAddress).toBe(HOST);
  const { port } = way.relay.addressFor({ password: "" });
  const closed = once(socket, "close");
  await way[Symbol.asyncDispose]();
  socket.end();
  await closed;
  const again = connect({ host: HOST, port });
  const [error] = (await once(again, "error")) as [NodeJS.ErrnoException];
  expect(error.code).toBe("ECONNREFUSED");
});

test.skipIf(process.platform !== "linux" || process.geteuid?.() !== 0)(
  "another user of this machine is not relayed",
  async () => {
    await using way = await relayTo((socket) => socket.end("let in"));
    const { port } = way.relay.addressFor({ password: "" });
    const dial = `require("net").connect(${port}, "127.0.0.1")
      .on("data", (data) => console.log(String(data))).on("error", ({ code }) => console.log(code))`;
    const answerTo = (uid: number) =>
      promisify(execFile)(process.execPath, ["-e", `process.setuid(${uid}); ${dial}`]).then(({ stdout }) =>
        stdout.trim(),
      );
    expect(await answerTo(0)).toBe("let in");
    expect(await answerTo(65_534)).toBe("ECONNRESET");
    expect(way.sockets.size).toBe(1);
  },
);
