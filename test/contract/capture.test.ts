import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { createServer } from "node:net";
import { expect, test } from "vitest";
import { Secret } from "../../provider/core/secret";
import { systemClock } from "../../provider/system/clock";
import { openSnapshot } from "../../provider/redis/replication/snapshot";
import { freePort, startRedisServer, until } from "../support/redis-server";
import { task } from "./backup-support";
import { whole } from "../support/whole";

const HOST = "127.0.0.1";
/** A leader of ours with all the room it wants: it prepares the snapshot on its disk. */
const OURS = { leaderFolderFreeBytes: Number.MAX_SAFE_INTEGER };
/** The default of 5 s is for replicas that arrive together. */
const AT_ONCE = ["--repl-diskless-sync-delay", "0"];

/** A server with large random values, that takes its time to save them where `slow`. */
async function filled(slow: boolean) {
  const server = await startRedisServer({
    args: slow ? ["--rdb-key-save-delay", "100000", ...AT_ONCE] : AT_ONCE,
  });
  for (let key = 0; key < 20; key++) await server.client.set(`random:${key}`, randomBytes(100_000));
  return server;
}

test("while a snapshot is taken the leader counts no replica: WAIT and min-replicas-to-write stay truthful", async () => {
  await using server = await filled(true);
  await server.client.config("SET", "min-replicas-to-write", "1");
  const opening = openSnapshot({ host: HOST, port: server.port }, task(), OURS);
  await until("the snapshot to be under way", async () =>
    /rdb_bgsave_in_progress:1/.test(await server.client.info("persistence")),
  );
  expect(await server.client.wait(1, 10)).toBe(0);
  await expect(server.client.set("refused", "x")).rejects.toThrow("NOREPLICAS");
  const snapshot = await opening;
  await expect(server.client.set("refused", "x")).rejects.toThrow("NOREPLICAS");
  expect((await whole(snapshot.content)).length).toBe(snapshot.sizeBytes);
  await until("the leader to be rid of us", async () =>
    /connected_slaves:0/.test(await server.client.info("replication")),
  );
});

test("it tells what it does: connecting, waiting, and bytes up to the announced size", async () => {
  await using server = await filled(false);
  const told = task();
  const snapshot = await openSnapshot({ host: HOST, port: server.port }, told, OURS);
  await whole(snapshot.content);
  expect(told.told.map(({ message }) => message).slice(0, 3)).toEqual([
    `connecting to ${HOST}:${server.port}`,
    "waiting for the leader's snapshot",
    "receiving the snapshot",
  ]);
  expect(told.told.at(-1)).toMatchObject({ doneBytes: snapshot.sizeBytes, totalBytes: snapshot.sizeBytes });
  expect(told.told.at(-1)).not.toHaveProperty("estimatedBytes");
  expect(snapshot.sizeBytes).toBeGreaterThan(2_000_000);
});

test("of a snapshot straight from memory there is an estimate of the size, and no total", async () => {
  await using server = await filled(false);
  const told = task();
  const snapshot = await openSnapshot({ host: HOST, port: server.port }, told);
  expect(snapshot.sizeBytes).toBeUndefined();
  const { length } = await whole(snapshot.content);
  expect(told.told.at(-1)).toMatchObject({ doneBytes: length, estimatedBytes: expect.any(Number) });
  expect(told.told.at(-1)).not.toHaveProperty("totalBytes");
  // Random values don't shrink: here the estimate is good.
  const { estimatedBytes = 0 } = told.told.at(-1) ?? {};
  expect(estimatedBytes / length).toBeGreaterThan(0.7);
  expect(estimatedBytes / length).toBeLessThan(1.5);
});

test.each([
  ["on its disk", OURS],
  ["to send it from memory", {}],
])("keep-alive newlines while the leader prepares %s are skipped, and tell for how long", async (_, room) => {
  await using server = await filled(true);
  // Each newline comes from a tick of the leader's, one a second; 20 keys at 0.1 s, or this delay, take two.
  await server.client.config("SET", "repl-diskless-sync-delay", "2");
  let instant = 0;
  const waiting = task({ clock: { ...systemClock, now: () => (instant += 1_000) } });
  const snapshot = await openSnapshot({ host: HOST, port: server.port }, waiting, room);
  const messages = waiting.told.map(({ message }) => message);
  expect(messages).toContainEqual(expect.stringMatching(/^waiting for the leader's snapshot \(\d+ s\)$/));
  const bytes = await whole(snapshot.content);
  expect(bytes.toString("latin1", 0, 9)).toMatch(/^(REDIS|VALKEY)\d+$/);
  expect(bytes.length).toBe(snapshot.sizeBytes ?? bytes.length);
});

test("a user with no more than psync, replconf and info is enough; without info the rest still works", async () => {
  await using server = await filled(false);
  await server.client.call(
    "ACL",
    "SETUSER",
    "taker",
    "on",
    ">s3cret",
    "-@all",
    "+psync",
    "+replconf",
    "+info",
  );
  const source = { host: HOST, port: server.port, username: "taker", password: new Secret("s3cret") };
  const informed = await openSnapshot(source, task());
  expect(informed.info).toMatchObject({ databases: { "0": { keys: 20, expires: 0 } } });
  await whole(informed.content);
  await server.client.call("ACL", "SETUSER", "taker", "-info");
  const silent = await openSnapshot(source, task());
  expect(silent.info).toBeUndefined();
  expect((await whole(silent.content)).length).toBeGreaterThan(2_000_000);
});

test("what the leader refuses is told, with what to do and without the password", async () => {
  await using server = await startRedisServer();
  await server.client.call("ACL", "SETUSER", "taker", "on", ">s3cret", "-@all", "+replconf");
  await server.client.call("ACL", "SETUSER", "default", "resetpass", ">0ther");
  const source = { host: HOST, port: server.port };
  const failure = async (more: object) => {
    const error = await openSnapshot({ ...source, ...more }, task()).then(
      () => undefined,
      (thrown: unknown) => thrown,
    );
    expect(String(error)).not.toContain("s3cret");
    return error;
  };
  expect(await failure({ username: "taker", password: new Secret("not s3cret") })).toMatchObject({
    code: "wrong-password",
  });
  expect(await failure({})).toMatchObject({ code: "password-needed" });
  expect(await failure({ username: "taker", password: new Secret("s3cret") })).toMatchObject({
    code: "not-permitted",
    cause: "the user may not run PSYNC",
    hint: "Allow the user +psync +replconf +info",
  });
});

test("a server that does not know AUTH repeats its arguments: they are not passed on", async () => {
  await using server = await startRedisServer({ args: ["--rename-command", "AUTH", ""] });
  const source = { host: HOST, port: server.port, username: "taker", password: new Secret("s3cret") };
  const error = await openSnapshot(source, task()).then(String, String);
  expect(error).toContain("it refuses to log in");
  expect(error).not.toContain("s3cret");
});

test("a server that cannot be reached is worth another try", async () => {
  await expect(openSnapshot({ host: HOST, port: await freePort() }, task())).rejects.toMatchObject({
    code: "leader-not-listening",
    transient: true,
    cause: expect.stringContaining("ECONNREFUSED"),
  });
});

async function impostor(answer: string) {
  const server = createServer((socket) => {
    socket.on("error", () => undefined);
    socket.once("data", () => socket.write(answer));
  }).listen(0, HOST);
  await once(server, "listening");
  const address = server.address();
  const port = typeof address === "object" && address !== null ? address.port : 0;
  return { port, [Symbol.asyncDispose]: async () => void server.close() };
}

test("something else on that port is recognised", async () => {
  await using server = await impostor("HTTP/1.1 400 Bad Request\r\n\r\n");
  await expect(openSnapshot({ host: HOST, port: server.port }, task())).rejects.toMatchObject({
    code: "no-redis",
    hint: expect.stringContaining("Check host and port"),
  });
});

test("a leader that falls silent is given up", async () => {
  await using server = await impostor("");
  await expect(
    openSnapshot({ host: HOST, port: server.port }, task(), { silenceMs: 200 }),
  ).rejects.toMatchObject({
    code: "leader-unreachable",
    cause: "it sent nothing for 0.2 s",
  });
});

test("an abort while the leader prepares ends the wait at once, with its reason", async () => {
  await using server = await filled(true);
  const abort = new AbortController();
  const reason = new Error("told to stop");
  const opening = openSnapshot({ host: HOST, port: server.port }, task({ signal: abort.signal }), OURS);
  await until("the snapshot to be under way", async () =>
    /rdb_bgsave_in_progress:1/.test(await server.client.info("persistence")),
  );
  abort.abort(reason);
  await expect(opening).rejects.toBe(reason);
});
