import { randomBytes } from "node:crypto";
import { expect, test } from "vitest";
import { openWhenReady } from "../../provider/backup/open-when-ready";
import { freePort, startRedisServer, until, type RedisServer } from "../support/redis-server";
import { hurried, task } from "./backup-support";

const WAITING = "waiting until the server is ready";

/** A server that reads its data from disk until `release`, for half a minute at most. */
async function loading(server: RedisServer): Promise<{ readonly release: () => Promise<void> }> {
  const values = server.client.pipeline();
  for (let key = 0; key < 3_000; key++) values.set(`key:${key}`, randomBytes(1_100));
  await values.exec();
  // It answers others after each so many bytes, here after every key.
  await server.client.config("SET", "loading-process-events-interval-bytes", 1024);
  await server.client.config("SET", "key-load-delay", 10_000);
  // A client that connects while it loads sends nothing before it has loaded.
  const asking = server.connect();
  await asking.ping();
  const reloading = server.connect();
  // Cut off where the test ends before it.
  reloading.call("DEBUG", "RELOAD").catch(() => undefined);
  await until("the server to load", async () => /^loading:1/m.test(await asking.info("persistence")));
  return { release: async () => void (await asking.config("SET", "key-load-delay", 0)) };
}

const source = ({ port, dir }: RedisServer) => ({ host: "127.0.0.1", port, dataFolder: dir });
const messages = ({ told }: ReturnType<typeof task>) => told.map(({ message }) => message);
const args = ["--enable-debug-command", "yes"];

test("a backup of a server that is loading its data waits until it has", async () => {
  await using server = await startRedisServer({ args });
  const { release } = await loading(server);
  const waiting = task();
  const opening = openWhenReady(source(server), waiting);
  await until("it to wait", () => messages(waiting).includes(WAITING));
  await release();
  const snapshot = await opening;
  expect(snapshot.sizeBytes).toBeGreaterThan(3_000 * 1_100);
  snapshot.close();
});

test("it waits for ten minutes at most, and fails with the server's own words", async () => {
  await using server = await startRedisServer({ args });
  await loading(server);
  const clock = hurried();
  const opening = openWhenReady(source(server), task({ clock }));
  await expect(opening).rejects.toMatchObject({
    code: "leader-loading",
    cause: expect.stringContaining("LOADING"),
    transient: true,
  });
  expect(clock.paused).toBeGreaterThanOrEqual(600_000);
  expect(clock.paused).toBeLessThan(610_000);
});

test.each([
  ["has no link to its leader yet", "NOMASTERLINK"],
  ["does not listen yet", "ECONNREFUSED"],
])(
  "a server that %s gets half a minute: after a start of the machine they come up together",
  async (_, cause) => {
    await using server = await startRedisServer();
    if (cause === "ECONNREFUSED") await server.stop();
    else await server.client.replicaof("127.0.0.1", await freePort());
    const clock = hurried();
    const opening = openWhenReady(source(server), task({ clock }));
    await expect(opening).rejects.toMatchObject({ cause: expect.stringContaining(cause), transient: true });
    expect(clock.paused).toBeGreaterThanOrEqual(30_000);
    expect(clock.paused).toBeLessThan(36_000);
  },
);

test("one that is not ours and doesn't listen fails at once: nobody is known to start it", async () => {
  const clock = hurried();
  const opening = openWhenReady({ host: "127.0.0.1", port: await freePort() }, task({ clock }));
  await expect(opening).rejects.toMatchObject({ code: "leader-not-listening" });
  expect(clock.paused).toBe(0);
});

test("a wait for a loading server ends with its signal", async () => {
  await using server = await startRedisServer({ args });
  await loading(server);
  const caller = new AbortController();
  const waiting = task({ signal: caller.signal });
  const opening = openWhenReady(source(server), waiting);
  await until("it to wait", () => messages(waiting).includes(WAITING));
  caller.abort(new Error("enough"));
  await expect(opening).rejects.toThrow("enough");
});

test("a long snapshot is told from a job that hangs: something is said each minute, and nothing once it is there", async () => {
  await using server = await startRedisServer({ args: ["--rdb-key-save-delay", "100000"] });
  for (let key = 0; key < 30; key++) await server.client.set(`key:${key}`, key);
  const waiting = task();
  const snapshot = await openWhenReady(source(server), waiting);
  const said = () => messages(waiting).filter((message) => message.startsWith("waiting for the leader's"));
  // Three seconds of it, and it says so with each of the leader's signs of life, one a second.
  expect(said().length).toBeGreaterThan(1);
  const before = said().length;
  snapshot.close();
  await new Promise((resolve) => setImmediate(resolve));
  expect(said()).toHaveLength(before);
});
