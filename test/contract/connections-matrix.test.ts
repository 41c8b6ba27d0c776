import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { expect, it } from "vitest";
import { openSnapshot } from "../../provider/redis/replication/snapshot";
import { ADMIN_USER, REPLICA_USER } from "../../provider/core/access";
import { Secret } from "../../provider/core/secret";
import { connectRedis } from "../../provider/redis/client";
import { closeExcess } from "../../provider/redis/excess-clients";
import { describeMatrix } from "../support/matrix";
import { type RedisServer, startRedisServer, until } from "../support/redis-server";
import { task } from "./backup-support";

const HOST = "127.0.0.1";
const USER = "AUTH default user-pw";

/** A connection that sends these lines, one after another, and is dropped with the test. */
async function client(stack: AsyncDisposableStack, { port }: RedisServer, ...lines: string[]) {
  const socket = connect({ port, host: HOST });
  socket.on("error", () => undefined);
  stack.defer(() => void socket.destroy());
  await once(socket, "connect");
  for (const line of lines) {
    socket.write(`${line}\r\n`);
    await once(socket, "data");
  }
  socket.resume();
  return socket;
}

/** With the users of an add-on; `startRedisServer` itself has logged in while there was none. */
async function startWithUsers(executable: string): Promise<RedisServer> {
  const server = await startRedisServer({ executable, args: ["--rdb-key-save-delay", "10000"] });
  for (let key = 0; key < 300; key++) await server.client.set(`key:${key}`, key);
  await server.client.call("ACL", "SETUSER", ADMIN_USER, "on", ">admin-pw", "~*", "&*", "+@all");
  await server.client.call(
    "ACL",
    "SETUSER",
    REPLICA_USER,
    "on",
    ">replica-pw",
    "+psync",
    "+replconf",
    "+info",
  );
  await server.client.call("ACL", "SETUSER", "default", "resetpass", ">user-pw");
  server.client.disconnect();
  return server;
}

const isOpen = (socket: Socket) => !socket.closed && !socket.readableEnded;

describeMatrix((executable) => {
  // Add-ons run on Redis 7.0 and newer.
  it.skipIf(executable.name.startsWith("Redis 6"))(
    "the newest users are closed, whatever they do, and nobody else",
    async () => {
      await using server = await startWithUsers(executable.path);
      await using stack = new AsyncDisposableStack();
      const target = { host: HOST, port: server.port, username: ADMIN_USER, password: "admin-pw" };
      const admin = stack.use(await connectRedis(target, task()));
      await until(
        "the test's own have left",
        async () => !(await closeExcess(admin, { allowed: 0, knownUpTo: 0 })).lookAgain,
      );

      const kept = [await client(stack, server, USER), await client(stack, server, USER, "SUBSCRIBE news")];
      const replica = {
        host: HOST,
        port: server.port,
        username: REPLICA_USER,
        password: new Secret("replica-pw"),
      };
      const capture = await openSnapshot(replica, task());
      stack.defer(() => capture.close());
      const newer = [
        await client(stack, server, USER, "SUBSCRIBE news"),
        await client(stack, server, USER, "MONITOR"),
        await client(stack, server, USER, "CLIENT SETNAME user=redis-addon-admin"),
        await client(stack, server, "GET not-logged-in"),
        await client(stack, server, "AUTH default wrong"),
      ];
      const fresh = [await client(stack, server), await client(stack, server, "PING")];
      const others = await connectRedis(target, task());
      stack.use(others);

      const first = await closeExcess(admin, { allowed: 2, knownUpTo: 0 });
      expect(first).toMatchObject({ closed: newer.length, lookAgain: true });
      await until("the newer ones to be closed", () => newer.every((socket) => !isOpen(socket)));
      expect(fresh.every(isOpen)).toBe(true);

      // Those that never log in are given a second or two to do it.
      await until("the silent ones to be closed", async () => {
        await closeExcess(admin, { allowed: 2, knownUpTo: first.newestId });
        return fresh.every((socket) => !isOpen(socket));
      });
      expect(kept.every(isOpen)).toBe(true);
      expect(await others.command("PING")).toBe("PONG");
      const again = await closeExcess(admin, { allowed: 2, knownUpTo: first.newestId });
      expect(again).toMatchObject({ closed: 0, lookAgain: false });

      let received = 0;
      for await (const bytes of capture.content) received += bytes.length;
      expect(received).toBeGreaterThan(300);
    },
  );
});
