import { expect, test } from "vitest";
import { openWhenReady } from "../../provider/backup/open-when-ready";
import { connectPatiently } from "../../provider/redis/connect-patiently";
import { startRedisServer } from "../support/redis-server";
import { hurried, task } from "./backup-support";

const HOST = "127.0.0.1";

/** A server with as many clients as it takes. */
async function full() {
  const server = await startRedisServer();
  const admin = server.client;
  await admin.config("SET", "maxclients", 1);
  return {
    port: server.port,
    dir: server.dir,
    makeRoom: () => admin.config("SET", "maxclients", 10),
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}

test("a connection waits for a place at a server that has as many clients as it takes", async () => {
  await using server = await full();
  const waiting = task({ clock: hurried(server.makeRoom) });
  await using client = await connectPatiently({ host: HOST, port: server.port, password: "" }, waiting);
  expect(await client.command("PING")).toBe("PONG");
});

test("it waits as long as it is told and fails with the cause", async () => {
  await using server = await full();
  const clock = hurried();
  const connecting = connectPatiently({ host: HOST, port: server.port, password: "" }, task({ clock }), 100);
  await expect(connecting).rejects.toMatchObject({ code: "too-many-clients", transient: true });
  expect(clock.paused).toBe(100);
});

test("it does not wait where waiting is no use", async () => {
  await using server = await startRedisServer();
  const clock = hurried();
  const target = { host: HOST, port: server.port, username: "nobody", password: "x" };
  await expect(connectPatiently(target, task({ clock }))).rejects.toMatchObject({ code: "wrong-password" });
  expect(clock.paused).toBe(0);
});

test("a backup of a server of ours waits for a place, for a minute at most", async () => {
  await using server = await full();
  const source = { host: HOST, port: server.port, dataFolder: server.dir };
  const clock = hurried();
  const given = openWhenReady(source, task({ clock }));
  await expect(given).rejects.toMatchObject({ code: "too-many-clients", transient: true });
  expect(clock.paused).toBe(60_000);

  const snapshot = await openWhenReady(source, task({ clock: hurried(server.makeRoom) }));
  snapshot.close();
});

test("a backup of another server fails at once: nobody is known to make room there", async () => {
  await using server = await full();
  const clock = hurried();
  const opening = openWhenReady({ host: HOST, port: server.port }, task({ clock }));
  await expect(opening).rejects.toMatchObject({ code: "too-many-clients" });
  expect(clock.paused).toBe(0);
});
