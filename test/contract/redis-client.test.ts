import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { Failure } from "../../provider/core/errors";
import { connectRedis } from "../../provider/redis/client";
import { freePort, until } from "../support/redis-server";
import { startAddon, testTask } from "../support/local-addon";

const SECRET = "s3cret-value";

interface Listener extends AsyncDisposable {
  readonly port: number;
}

/** Something on a port that is not a Redis. */
async function listening(answer: (socket: Socket) => void): Promise<Listener> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => undefined);
    answer(socket);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return {
    port: address.port,
    [Symbol.asyncDispose]: async () => {
      for (const socket of sockets) socket.destroy();
      server.close();
      await once(server, "close");
    },
  };
}

async function failure(work: Promise<unknown>): Promise<Failure> {
  const error: unknown = await work.then(
    () => new Error("it worked"),
    (thrown: unknown) => thrown,
  );
  if (!(error instanceof Failure)) throw error;
  expect(JSON.stringify(error.report()) + error.message + String(error)).not.toContain(SECRET);
  return error;
}

test("nothing that listens is told as such", async () => {
  const port = await freePort();
  const found = await failure(connectRedis({ host: "127.0.0.1", port, password: SECRET }, testTask()));
  expect(found).toMatchObject({ code: "refused", subject: `127.0.0.1:${port}`, transient: true });
});

test("a host without an address is told as such", async () => {
  const target = { host: "no-such-host.invalid", port: 6379, password: SECRET };
  expect((await failure(connectRedis(target, testTask()))).code).toBe("unknown-host");
});

test("a wrong password is told without the password", async () => {
  await using addon = await startAddon();
  const target = { host: "127.0.0.1", port: addon.server.port, username: "default", password: SECRET };
  expect(await failure(connectRedis(target, testTask()))).toMatchObject({
    code: "wrong-password",
    transient: false,
  });
});

test("a server that accepts and never answers ends in a timeout", async () => {
  await using silent = await listening(() => undefined);
  const target = { host: "127.0.0.1", port: silent.port, password: SECRET, commandTimeoutMs: 100 };
  expect((await failure(connectRedis(target, testTask()))).code).toBe("timeout");
});

test("a server that hangs up is told as such", async () => {
  await using rude = await listening((socket) => socket.destroy());
  const target = { host: "127.0.0.1", port: rude.port, password: SECRET };
  expect((await failure(connectRedis(target, testTask()))).code).toBe("connection-closed");
});

test("something that speaks another protocol is no Redis", async () => {
  await using web = await listening((socket) => socket.write("HTTP/1.1 400 Bad Request\r\n\r\n"));
  const target = { host: "127.0.0.1", port: web.port, password: SECRET };
  expect((await failure(connectRedis(target, testTask()))).code).toBe("not-redis");
});

test("a server with as many clients as it takes is told as such, and an open connection goes on", async () => {
  await using addon = await startAddon();
  const admin = await addon.admin();
  await admin.command("CONFIG", "SET", "maxclients", 1);
  const target = { host: "127.0.0.1", port: addon.server.port, password: SECRET };
  expect((await failure(connectRedis(target, testTask()))).code).toBe("too-many-clients");
  expect(await admin.command("PING")).toBe("PONG");
});

test("a command the server doesn't know comes back without its arguments", async () => {
  await using addon = await startAddon();
  const found = await failure((await addon.admin()).command("NOSUCH", SECRET, "other"));
  expect(found).toMatchObject({
    code: "redis-error",
    cause: `the server answered "ERR unknown command 'NOSUCH'"`,
  });
});

test("a connection whose server dies fails its commands and does not come back by itself", async () => {
  await using addon = await startAddon();
  const admin = await addon.admin();
  expect(await admin.command("PING")).toBe("PONG");
  await addon.server.kill("SIGKILL");
  expect((await failure(admin.command("PING"))).code).toBe("connection-closed");
  await addon.restart(addon.record, undefined);
  expect((await failure(admin.command("PING"))).code).toBe("connection-closed");
});

test("an abort ends a connection that waits, with the signal's reason", async () => {
  await using silent = await listening(() => undefined);
  const controller = new AbortController();
  const task = { ...testTask(), signal: controller.signal };
  const connecting = connectRedis({ host: "127.0.0.1", port: silent.port, password: SECRET }, task);
  controller.abort(new Error("stopped by a person"));
  await expect(connecting).rejects.toThrow("stopped by a person");
});

test("a connection keeps nothing of what it was answered, however long it lasts", async () => {
  await using addon = await startAddon();
  const admin = await addon.admin();
  const answers: WeakRef<object>[] = [];
  for (let i = 0; i < 20; i++) answers.push(new WeakRef((await admin.command("TIME")) as object));
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  await until("the answers to be forgotten", () => {
    collect();
    // The last one may be held by what is under way here.
    return answers.filter((answer) => answer.deref() !== undefined).length <= 1;
  });
  expect(await admin.command("PING")).toBe("PONG");
});
