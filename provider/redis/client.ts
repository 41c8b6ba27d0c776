import type { Redis as Connection } from "ioredis";
import { Failure } from "../core/errors";
import type { LeaderTls } from "../core/facets";
import { authority } from "../core/uri";
import type { Task } from "../core/task";
import { unlessAborted } from "../system/unless-aborted";
import { redisFailure } from "./failures";
import { parseInfo, type Info } from "./info";
import { tlsConnector } from "./tls-connector";
import { tlsOptions } from "./tls-options";

export interface RedisTarget {
  readonly host: string;
  readonly port: number;
  /** Absent or empty: the default user. */
  readonly username?: string | undefined;
  /** Empty: none is sent. */
  readonly password: string;
  /** Absent: a plain connection. */
  readonly tls?: LeaderTls | undefined;
  /** What messages call it; `host:port` unless given. */
  readonly subject?: string;
  /** What was being done, for messages; `reach` unless given. */
  readonly operation?: string;
  readonly connectTimeoutMs?: number;
  readonly commandTimeoutMs?: number;
}

/** One authenticated connection. Every error it throws is a Failure without secrets; disposing it closes it. */
export interface RedisClient extends AsyncDisposable {
  readonly subject: string;
  /** Sends one command; numbers and bulk strings come back as such, errors are thrown. */
  command(name: string, ...args: (string | number)[]): Promise<unknown>;
  /** INFO with its default sections. Answers while the server loads, too. */
  info(): Promise<Info>;
  /** CONFIG GET of these parameters; what the server doesn't know is absent. */
  config(...parameters: string[]): Promise<ReadonlyMap<string, string>>;
}

/** One connection that is made when it is first used, and that nothing is retried on. */
export const SINGLE_CONNECTION = {
  lazyConnect: true,
  // Whoever waits does so by a task's clock and says what for: nothing is retried behind its back.
  retryStrategy: () => null,
  maxRetriesPerRequest: 0,
  autoResendUnfulfilledCommands: false,
  enableReadyCheck: false,
  disableClientInfo: true,
  protocol: 2,
} as const;

const CONNECT_TIMEOUT_MS = 5_000;
const COMMAND_TIMEOUT_MS = 10_000;

/**
 * Connects and authenticates, or throws a Failure whose code tells why not: `refused`, `unreachable`, `unknown-host`,
 * `timeout`, `wrong-password`, `password-needed`, `too-many-clients`, by TLS also those of `tlsProblem`. A server that is
 * still loading is connected to; its commands then fail with `loading`.
 */
export async function connectRedis(target: RedisTarget, task: Pick<Task, "signal">): Promise<RedisClient> {
  const { host, port, username = "", password, tls, subject = authority(host, port) } = target;
  const secrets = [password, ...(tls?.key === undefined ? [] : [tls.key])];
  const context = { operation: target.operation ?? "reach", subject, secrets };
  // Only who talks to a server pays for loading the client.
  const { AbstractConnector, Redis } = await import("ioredis");
  task.signal.throwIfAborted();
  let greeting = false;
  const options = tls && { host, port, ...tlsOptions(host, tls) };
  const redis = new Redis({
    ...(options === undefined
      ? { host, port }
      : {
          tls: options,
          Connector: tlsConnector(AbstractConnector, options, (is) => (greeting = is)),
        }),
    ...SINGLE_CONNECTION,
    connectTimeout: target.connectTimeoutMs ?? CONNECT_TIMEOUT_MS,
    commandTimeout: target.commandTimeoutMs ?? COMMAND_TIMEOUT_MS,
  });
  // ioredis rejects with "Connection is closed."; why it was closed comes as an event, which unheard ends the process.
  let reason: unknown;
  redis.on("error", (error: unknown) => {
    reason = error;
  });
  const abort = () => redis.disconnect();
  task.signal.addEventListener("abort", abort, { once: true });
  const close = () => {
    task.signal.removeEventListener("abort", abort);
    redis.disconnect();
  };
  const run = async <Answer>(work: () => Promise<Answer>): Promise<Answer> => {
    try {
      // Not all of ioredis's promises settle when a connection that is still being made is closed. Each command waits for
      // the abort by itself: one promise of it for all would keep every answer for as long as the connection lasts.
      return await unlessAborted(work, task.signal);
    } catch (error) {
      task.signal.throwIfAborted();
      const about = tls && { serverName: tls.serverName ?? host, greeting };
      throw redisFailure(isClosed(error) ? (reason ?? error) : error, { ...context, tls: about });
    }
  };

  try {
    await run(async () => {
      await redis.connect();
      await logIn(redis, username, password);
    });
  } catch (error) {
    close();
    throw tls === undefined ? perhapsTls(error) : error;
  }

  const command = (name: string, ...args: (string | number)[]) => run(() => redis.call(name, ...args));
  return {
    subject,
    command,
    info: async () => parseInfo(String(await command("INFO"))),
    config: async (...parameters) => pairs(await command("CONFIG", "GET", ...parameters)),
    [Symbol.asyncDispose]: async () => close(),
  };
}

/** A server that wants TLS ends a plain connection without a word; so does one that is just being stopped. */
function perhapsTls(error: unknown): unknown {
  if (!(error instanceof Failure) || error.code !== "connection-closed") return error;
  return new Failure({
    ...error.report(),
    hint: "Check that the server is still running, and whether it wants TLS on this port",
  });
}

/** ioredis's own login would warn on the console, and its ready check would wait for a server that is loading. */
async function logIn(redis: Connection, username: string, password: string): Promise<void> {
  if (password !== "") {
    await (username === "" ? redis.call("AUTH", password) : redis.call("AUTH", username, password));
    return;
  }
  try {
    await redis.call("PING");
  } catch (error) {
    // It has let us in and just can't serve data now; or lets us in without PING.
    if (!(error instanceof Error && /^(LOADING|MASTERDOWN|NOPERM|MISCONF)/.test(error.message))) throw error;
  }
}

function isClosed(error: unknown): boolean {
  return error instanceof Error && /Connection is closed|Command aborted|isn't writeable/.test(error.message);
}

/** A RESP2 map: names and values in turn. */
function pairs(answer: unknown): ReadonlyMap<string, string> {
  const map = new Map<string, string>();
  if (!Array.isArray(answer)) return map;
  for (let i = 0; i + 1 < answer.length; i += 2) map.set(String(answer[i]), String(answer[i + 1]));
  return map;
}
