import { Redis as Redis6 } from "ioredis";
import { Redis as Redis5 } from "ioredis-5";
import { createClient as createClient4 } from "node-redis-4";
import { createClient as createClient5 } from "node-redis-5";
import { createClient as createClient6 } from "redis";

/** A program or library that applications reach a server with. */
export interface Client {
  /** With its version: "ioredis 6". */
  readonly name: string;
  /** Logs in by the URL alone, sets the key, and gives back what it then reads; throws what the client makes of a refusal. */
  roundTrip(url: string, key: string, value: string): Promise<string | null>;
}

/** The libraries for Node. */
export const nodeLibraries: readonly Client[] = [
  ioredis("ioredis 6", Redis6),
  // The last before it changed to another parser of URLs.
  ioredis("ioredis 5.4", Redis5),
  nodeRedis("node-redis 6", (url) => createClient6({ url, socket: ONCE })),
  nodeRedis("node-redis 5", (url) => createClient5({ url, socket: ONCE })),
  nodeRedis("node-redis 4", (url) => createClient4({ url, socket: ONCE })),
];

const ONCE = { reconnectStrategy: false } as const;

/** What both versions' classes have in common. */
interface IoredisConnection {
  on(event: "error", listener: (error: Error) => void): unknown;
  connect(): Promise<unknown>;
  set(key: string, value: string): Promise<unknown>;
  get(key: string): Promise<string | null>;
  disconnect(): void;
}
type Ioredis = new (
  url: string,
  options: { lazyConnect: true; retryStrategy: () => null; maxRetriesPerRequest: 0 },
) => IoredisConnection;

function ioredis(name: string, Redis: Ioredis): Client {
  return {
    name,
    async roundTrip(url, key, value) {
      const redis = new Redis(url, { lazyConnect: true, retryStrategy: () => null, maxRetriesPerRequest: 0 });
      // Unheard, it would be printed; the command that fails throws it as well.
      redis.on("error", () => undefined);
      try {
        await redis.set(key, value);
        return await redis.get(key);
      } finally {
        redis.disconnect();
      }
    },
  };
}

/** What all versions' clients have in common. */
interface NodeRedisConnection {
  on(event: "error", listener: (error: Error) => void): unknown;
  connect(): Promise<unknown>;
  set(key: string, value: string): Promise<unknown>;
  get(key: string): Promise<unknown>;
  readonly isOpen: boolean;
  disconnect(): Promise<unknown>;
}

function nodeRedis(name: string, connection: (url: string) => NodeRedisConnection): Client {
  return {
    name,
    async roundTrip(url, key, value) {
      const redis = connection(url);
      redis.on("error", () => undefined);
      try {
        await redis.connect();
        await redis.set(key, value);
        const read = await redis.get(key);
        return typeof read === "string" ? read : null;
      } finally {
        if (redis.isOpen) await redis.disconnect();
      }
    },
  };
}
