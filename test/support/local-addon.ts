import { join } from "node:path";
import { ADMIN_USER, REPLICA_USER } from "../../provider/core/access";
import type { AddonRecord } from "../../provider/core/facets";
import { renderServer, type LeaderAddress } from "../../provider/core/render";
import type { Progress, Task } from "../../provider/core/task";
import { connectRedis, type RedisClient } from "../../provider/redis/client";
import { systemClock } from "../../provider/system/clock";
import { startLocalRedis, type LocalRedis, type LocalRedisOptions, type Place } from "./local-redis";

/** A server as an add-on's record says. */
export interface LocalAddon extends AsyncDisposable {
  readonly server: LocalRedis;
  readonly record: AddonRecord;
  /** What another add-on follows it by. */
  readonly address: LeaderAddress;
  /** Connections are closed with the server. */
  connect(username: string, password: string): Promise<RedisClient>;
  admin(): Promise<RedisClient>;
  user(): Promise<RedisClient>;
  /** Starts it again with files rendered for this record. */
  restart(record: AddonRecord, leader: LeaderAddress | undefined): Promise<void>;
}

export interface LocalAddonOptions extends LocalRedisOptions {
  /** Lines of redis.conf after the rendered ones, such as `enable-debug-command yes`. */
  readonly lines?: readonly string[];
}

export async function startAddon(
  record: AddonRecord = testRecord(),
  leader?: LeaderAddress,
  { lines = [], ...options }: LocalAddonOptions = {},
): Promise<LocalAddon> {
  const files = (recorded: AddonRecord, address: LeaderAddress | undefined) => (place: Place) => {
    const { conf, acl } = renderServer({
      record: onPort(recorded, place.port),
      leader: address,
      dataDir: place.dataDir,
      aclFile: place.aclFile,
    });
    return { conf: [conf, ...lines].join("\n"), acl };
  };
  const server = await startLocalRedis(files(record, leader), options);
  const clients = new AsyncDisposableStack();
  const { port } = server;
  const placed = onPort(record, port);
  const { password, adminPassword, replicaPassword } = record.credentials;
  const connect = async (username: string, secret: string) =>
    clients.use(await connectRedis({ host: "127.0.0.1", port, username, password: secret }, testTask()));
  return {
    server,
    record: placed,
    address: { host: "127.0.0.1", port, username: REPLICA_USER, password: replicaPassword },
    connect,
    admin: () => connect(ADMIN_USER, adminPassword),
    user: () => connect("default", password),
    restart: async (changed, address) => {
      const place = { port, dataDir: server.dir, aclFile: join(server.dir, "users.acl") };
      await server.start(files(changed, address)(place));
    },
    [Symbol.asyncDispose]: async () => {
      await clients.disposeAsync();
      await server[Symbol.asyncDispose]();
    },
  };
}

export function testRecord(changes: Partial<AddonRecord["server"]["wish"]> = {}): AddonRecord {
  return {
    format: 1,
    name: "cache",
    catalogKey: "cache-00000000",
    createdAt: "2026-01-01T00:00:00.000Z",
    owner: { project: "shop", stack: "dev" },
    credentials: { password: "user-pw", adminPassword: "admin-pw", replicaPassword: "replica-pw" },
    server: {
      wish: {
        plan: "m_mono",
        tier: "standard",
        access: "standard",
        evictionPolicy: "noeviction",
        version: "7.0.15",
        bind: "127.0.0.1",
        port: 6379,
        persistence: "everysec",
        settings: {},
        labels: {},
        deletion: { finalBackup: true },
        ...changes,
      },
      instance: { token: "t", confirmed: true },
      given: [],
      since: "2026-01-01T00:00:00.000Z",
    },
  };
}

/** The same record once it follows; whom, the tests say by an address. */
export function following(record: AddonRecord): AddonRecord {
  return {
    ...record,
    replication: {
      wish: { kind: "addon", addon: "leader" },
      instance: { token: "t", confirmed: true },
      given: [],
      since: "2026-01-01T00:00:00.000Z",
    },
  };
}

export function testTask(onProgress: (progress: Progress) => void = () => undefined): Task {
  return { signal: AbortSignal.timeout(60_000), clock: systemClock, progress: onProgress };
}

/** Polls until the condition holds; fails with its last value once the deadline has passed. */
export async function eventually<Value>(
  read: () => Promise<Value>,
  holds: (value: Value) => boolean,
  deadlineMs = 15_000,
): Promise<Value> {
  const end = Date.now() + deadlineMs;
  for (;;) {
    const value = await read();
    if (holds(value)) return value;
    if (Date.now() > end) throw new Error(`still ${JSON.stringify(value)} after ${deadlineMs} ms`);
    await systemClock.sleep(20);
  }
}

function onPort(record: AddonRecord, port: number): AddonRecord {
  return { ...record, server: { ...record.server, wish: { ...record.server.wish, port } } };
}
