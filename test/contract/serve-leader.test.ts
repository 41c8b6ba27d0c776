import { createHash } from "node:crypto";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { connect } from "node:net";
import { join } from "node:path";
import { beforeAll, describe, expect, it } from "vitest";
import { serveSnapshot, type SnapshotServer } from "../../provider/redis/replication/serve";
import type { ServedSnapshot } from "../../provider/redis/replication/serve-transfer";
import { Failure } from "../../provider/core/errors";
import { startRedisServer, until, type RedisServer } from "../support/redis-server";
import { startFaultProxy } from "../support/fault-proxy";
import { describeMatrix } from "../support/matrix";
import { digest, hurried, task } from "./backup-support";

const LOCAL = { host: "127.0.0.1", port: 0 };
const DEBUG = ["--enable-debug-command", "yes"];

function served(bytes: Buffer, chunkBytes = 64 * 1024): ServedSnapshot {
  return {
    sizeBytes: bytes.length,
    sha256: createHash("sha256").update(bytes).digest("hex"),
    async *open() {
      for (let at = 0; at < bytes.length; at += chunkBytes) yield bytes.subarray(at, at + chunkBytes);
    },
  };
}

/** A connection to a listener as anybody may make it. */
async function visit(server: { readonly port: number }) {
  const socket = connect(server.port, "127.0.0.1");
  let heard = "";
  socket.on("data", (bytes: Buffer) => (heard += bytes.toString("latin1")));
  socket.on("error", () => undefined);
  const closed = new Promise((resolve) => socket.once("close", resolve));
  await once(socket, "connect");
  return {
    socket,
    say: (...words: string[]) => socket.write(encoded(words)),
    heard: () => heard,
    closed,
    [Symbol.dispose]: () => void socket.destroy(),
  };
}

function encoded(words: readonly string[]): string {
  return `*${words.length}\r\n${words.map((word) => `$${word.length}\r\n${word}\r\n`).join("")}`;
}

async function follow(target: RedisServer, server: SnapshotServer, port = server.port): Promise<void> {
  await target.client.config("SET", "masteruser", server.username);
  await target.client.config("SET", "masterauth", server.password.reveal());
  await target.client.call("REPLICAOF", "127.0.0.1", port);
}

let snapshot: Buffer;
let content: string;

beforeAll(async () => {
  [snapshot, content] = await snapshotOf(DEBUG);
});

async function snapshotOf(args: readonly string[], executable?: string): Promise<[Buffer, string]> {
  await using source = await startRedisServer({ args, ...(executable === undefined ? {} : { executable }) });
  const batch = source.client.pipeline();
  for (let i = 0; i < 3000; i++) batch.set(`key:${i}`, "x".repeat(100));
  await batch.exec();
  await source.client.save();
  return [await readFile(join(source.dir, "dump.rdb")), await digest(source.client)];
}

describe("the leader's side, for one replica and one snapshot", () => {
  it("gives it to a replica that knows the password, and sees when it is loaded", async () => {
    await using target = await startRedisServer({ args: [...DEBUG, "--appendonly", "yes"] });
    const doing = task();
    await using server = await serveSnapshot(served(snapshot), LOCAL, doing);
    expect(server.stage()).toEqual({ kind: "waiting" });
    await follow(target, server);
    await until("it to acknowledge", () => server.stage().kind === "acknowledged");
    expect(await digest(target.client)).toBe(content);
    expect(doing.told.at(-1)).toEqual({
      message: "sending the snapshot",
      doneBytes: snapshot.length,
      totalBytes: snapshot.length,
    });
    expect(server.strangers()).toBe(0);
  });

  it("tells a stranger nothing: not what it is, not a byte of the data", async () => {
    await using server = await serveSnapshot(served(snapshot), LOCAL, task());
    for (const words of [
      ["PSYNC", "?", "-1"],
      ["SYNC"],
      ["INFO"],
      ["REPLCONF", "capa", "eof"],
      ["AUTH", server.username, "wrong"],
      ["AUTH", server.password.reveal()],
      ["HELLO", "3", "AUTH", server.username, server.password.reveal()],
    ]) {
      using stranger = await visit(server);
      stranger.say(...words);
      await stranger.closed;
      expect(stranger.heard()).toMatch(/^-(NOAUTH Authentication required|WRONGPASS .*)\.\r\n$/);
    }
    expect(server.stage()).toEqual({ kind: "waiting" });
    expect(server.strangers()).toBe(7);
  });

  it("cuts off who speaks rubbish at once, and who says nothing or too little after a while", async () => {
    const clock = hurried();
    await using server = await serveSnapshot(served(snapshot), LOCAL, task({ clock }));
    using rubbish = await visit(server);
    rubbish.socket.write("GET / HTTP/1.1\r\n\r\n");
    await rubbish.closed;
    expect(rubbish.heard()).toBe("");
    using silent = await visit(server);
    using slow = await visit(server);
    slow.socket.write("*1\r\n$4\r\nPI");
    using idle = await visit(server);
    idle.say("AUTH", server.username, server.password.reveal());
    await Promise.all([silent.closed, slow.closed, idle.closed]);
    expect(silent.heard() + slow.heard()).toBe("");
    expect(idle.heard()).toBe("+OK\r\n");
  });

  it("serves the replica although strangers came first, and nobody else meanwhile", async () => {
    await using target = await startRedisServer({ args: DEBUG });
    await using server = await serveSnapshot(served(snapshot), LOCAL, task());
    const strangers = await Promise.all(Array.from({ length: 8 }, () => visit(server)));
    await follow(target, server);
    await until("it to acknowledge", () => server.stage().kind === "acknowledged");
    expect(await digest(target.client)).toBe(content);
    using second = await visit(server);
    second.say("AUTH", server.username, server.password.reveal());
    second.say("PSYNC", "?", "-1");
    await second.closed;
    expect(second.heard()).toBe("+OK\r\n-ERR somebody is being served\r\n");
    for (const { socket } of strangers) socket.destroy();
  });

  it("sends everything again to a replica whose connection was cut", async () => {
    await using target = await startRedisServer({ args: DEBUG });
    await target.client.set("old", "data");
    const whole = served(snapshot, 1024);
    let transfers = 0;
    const cutAtHalf: ServedSnapshot = {
      ...whole,
      async *open() {
        const isFirst = ++transfers === 1;
        let doneBytes = 0;
        for await (const chunk of whole.open()) {
          if (isFirst && doneBytes > snapshot.length / 2) proxy.resetAll();
          doneBytes += chunk.length;
          yield chunk;
        }
      },
    };
    await using server = await serveSnapshot(cutAtHalf, LOCAL, task());
    await using proxy = await startFaultProxy(server.port);
    await follow(target, server, proxy.port);
    await until("it to acknowledge", () => {
      // What was on its way to the proxy may have been all of it.
      server.again();
      return server.stage().kind === "acknowledged";
    });
    expect(transfers).toBe(2);
    expect(await digest(target.client)).toBe(content);
  });

  it("gives up on a replica whose connections are cut again and again, which keeps its own data", async () => {
    await using target = await startRedisServer({ args: DEBUG });
    await target.client.set("old", "data");
    await using server = await serveSnapshot(served(snapshot, 1024), LOCAL, task());
    await using proxy = await startFaultProxy(server.port);
    proxy.set({ fromServer: { cutAfterBytes: 20_000 } });
    await follow(target, server, proxy.port);
    await until("it to give up", () => {
      // So little is on its way to the proxy as a whole before the cut is seen here.
      server.again();
      return server.stage().kind === "over";
    });
    expect(server.stage()).toEqual({ kind: "over", why: "too-often" });
    expect(await target.client.get("old")).toBe("data");
  });

  it("has a replica go on that has loaded everything before its connection was cut", async () => {
    await using target = await startRedisServer({ args: DEBUG });
    await using server = await serveSnapshot(served(snapshot), LOCAL, task());
    await using proxy = await startFaultProxy(server.port);
    await follow(target, server, proxy.port);
    await until("it to acknowledge", () => server.stage().kind === "acknowledged");
    proxy.resetAll();
    await until("it to come back", () => target.log().includes("Successful partial resynchronization"));
    await until("the link", async () => (await target.client.info()).includes("master_link_status:up"));
    expect(await digest(target.client)).toBe(content);
  });

  it("gives nothing more to a replica that had every byte and could not load them", async () => {
    const broken = Buffer.from(snapshot);
    broken.write("REDIS9999", 0);
    await using target = await startRedisServer({ args: DEBUG });
    await using server = await serveSnapshot(served(broken), LOCAL, task());
    await follow(target, server);
    await until("it to ask again", () => server.stage().kind === "asked-again");
    await until("it to be refused", () => target.log().includes("there is no more to be had"));
  });

  it("holds back the last bytes of what is no longer the proven snapshot, so that nothing is loaded", async () => {
    const proved = served(snapshot, 1024);
    const changed = Buffer.from(snapshot);
    changed[5000] = (changed[5000] ?? 0) ^ 1;
    await using target = await startRedisServer({ args: DEBUG });
    await target.client.set("old", "data");
    await using server = await serveSnapshot({ ...proved, open: served(changed, 1024).open }, LOCAL, task());
    await follow(target, server);
    await until("it to be noticed", () => server.stage().kind === "over");
    expect(server.stage()).toEqual({ kind: "over", why: "changed" });
    expect(await target.client.get("old")).toBe("data");
  });

  it("keeps no more than a chunk in memory for a replica that is slow", async () => {
    let taken = 0;
    const chunk = Buffer.alloc(1024 * 1024);
    const endless: ServedSnapshot = {
      sizeBytes: 1024 * chunk.length,
      sha256: "",
      async *open() {
        for (; taken < 1024; taken++) yield chunk;
      },
    };
    await using server = await serveSnapshot(endless, LOCAL, task());
    using slow = await visit(server);
    slow.socket.pause();
    slow.say("AUTH", server.username, server.password.reveal());
    slow.say("PSYNC", "?", "-1");
    let before = -1;
    await until("it to stop taking", async () => {
      const same = before === taken && taken > 0;
      before = taken;
      await new Promise((resolve) => setTimeout(resolve, 100));
      return same;
    });
    expect(taken).toBeLessThan(32);
  });

  it("says which address it can't listen on", async () => {
    await using first = await serveSnapshot(served(snapshot), LOCAL, task());
    const again = serveSnapshot(served(snapshot), { host: "127.0.0.1", port: first.port }, task());
    await expect(again).rejects.toThrow(
      `cannot listen on 127.0.0.1:${first.port}: something else listens there`,
    );
    await expect(again).rejects.toBeInstanceOf(Failure);
  });
});

describeMatrix(({ path, name }) => {
  it(`is a leader to ${name}`, async () => {
    // Redis 6.2 knows no such setting, and lets everybody debug it.
    const args = name.startsWith("Redis 6.2") ? [] : DEBUG;
    const [snapshot, content] = await snapshotOf(args, path);
    await using target = await startRedisServer({ executable: path, args });
    await using server = await serveSnapshot(served(snapshot), LOCAL, task());
    await follow(target, server);
    await until("it to acknowledge", () => server.stage().kind === "acknowledged");
    expect(await digest(target.client)).toBe(content);
    // What it then is: a follower that is in sync, at an offset of our stream.
    const info = await target.client.info("replication");
    expect(info).toContain("master_link_status:up");
    expect(info).toContain(`master_replid:${server.replicationId}`);
  });
});
