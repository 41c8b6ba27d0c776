import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Redis } from "ioredis";
import { onTestFinished } from "vitest";
import { ADMIN_USER, REPLICA_USER } from "../../provider/core/access";
import type { AddonRecord } from "../../provider/core/facets";
import { renderServer, type LeaderAddress } from "../../provider/core/render";
import { connectRedis, type RedisClient } from "../../provider/redis/client";
import { testTask } from "../support/local-addon";
import { matrix } from "../support/matrix";
import { startRedisServer, type RedisServer } from "../support/redis-server";
import { pathOf, type Tool } from "../support/tools";

/** The servers that run add-ons: all of the matrix but Redis 6.2, which is only followed and backed up. */
export const addonServers: readonly Tool[] = matrix.filter(({ name }) => !name.startsWith("Redis 6"));

/** One of the matrix, with the files of an add-on's record. */
export interface AddonOnMatrix extends AsyncDisposable {
  readonly record: AddonRecord;
  readonly address: LeaderAddress;
  /** Connections are closed with the server. */
  user(): Redis;
  admin(): Redis;
  /** The administrator as the provider connects. */
  client(): Promise<RedisClient>;
  raw(username: string, password: string): Promise<RawConnection>;
  info(): Promise<string>;
  /** Ends it as the platform does, and starts it again on the same data. */
  restart(): Promise<void>;
}

export async function startOn(
  tool: Tool,
  record: AddonRecord,
  leader?: LeaderAddress,
): Promise<AddonOnMatrix> {
  const dir = await mkdtemp(join(tmpdir(), "rights-"));
  const aclFile = join(dir, "users.acl");
  const { conf, acl } = renderServer({ record, leader, dataDir: dir, aclFile });
  await writeFile(join(dir, "redis.conf"), conf, { mode: 0o600 });
  await writeFile(aclFile, acl, { mode: 0o600 });
  const start = (): Promise<RedisServer> =>
    startRedisServer({ executable: pathOf(tool), dir, config: "redis.conf" });
  let server = await start();
  const { password, adminPassword, replicaPassword } = record.credentials;
  const closers = new AsyncDisposableStack();
  const admin = (): Redis => server.connect({ username: ADMIN_USER, password: adminPassword });
  const dispose = async (): Promise<void> => {
    await closers.disposeAsync();
    await server[Symbol.asyncDispose]();
    await rm(dir, { recursive: true, force: true });
  };
  // A test that runs out of time never leaves its `await using`.
  onTestFinished(dispose);
  return {
    record,
    get address() {
      return { host: server.host, port: server.port, username: REPLICA_USER, password: replicaPassword };
    },
    user: () => server.connect({ username: "default", password }),
    admin,
    client: async () => {
      const target = { host: server.host, port: server.port, username: ADMIN_USER, password: adminPassword };
      return closers.use(await connectRedis(target, testTask()));
    },
    raw: async (username, secret) => closers.use(await connectRaw(server.port, username, secret)),
    info: async () => {
      const connection = admin();
      const info = await connection.info();
      connection.disconnect();
      return info;
    },
    restart: async () => {
      await server.stop("SIGTERM");
      server = await start();
    },
    [Symbol.asyncDispose]: dispose,
  };
}

/** For what no client library speaks: PSYNC, MONITOR. */
export interface RawConnection extends AsyncDisposable {
  send(line: string): void;
  /** All that came so far. */
  received(): string;
}

async function connectRaw(port: number, username: string, password: string): Promise<RawConnection> {
  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  let text = "";
  socket.on("data", (chunk: Buffer) => (text += chunk.toString("latin1")));
  socket.on("error", () => undefined);
  socket.write(`AUTH ${username} ${password}\r\n`);
  return {
    send: (line) => void socket.write(`${line}\r\n`),
    received: () => text,
    [Symbol.asyncDispose]: () => {
      socket.destroy();
      return Promise.resolve();
    },
  };
}

/** One field of INFO. */
export function fieldOf(info: string, name: string): string | undefined {
  return new RegExp(`^${name}:(.*?)\\r?$`, "m").exec(info)?.[1];
}
