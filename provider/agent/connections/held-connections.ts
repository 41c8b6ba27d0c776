import { ADMIN_USER } from "../../core/access";
import { Failure } from "../../core/errors";
import type { AddonRecord } from "../../core/facets";
import { reachableHost } from "../../core/settings";
import type { Task } from "../../core/task";
import type { RedisClient } from "../../redis/client";
import { connectPatiently } from "../../redis/connect-patiently";

const TIMEOUT_MS = 10_000;
/** Nobody makes room before this one is open. */
const CROWDED_PATIENCE_MS = 15_000;

/** The administrator's connection to one add-on's server, open for as long as that server runs. */
interface HeldConnection {
  /** As of the last time that somebody was lent the connection: what the server has been brought to, or soon is. */
  readonly record: AddonRecord;
  readonly client: RedisClient;
}

/**
 * Redis keeps no place in reserve: once users have taken all, nobody else gets in, and only a connection that is open
 * already can close some of theirs. So the first one that the agent makes to a server is kept. One agent is one process.
 */
const held = new Map<string, HeldConnection>();

export function heldConnections(): ReadonlyMap<string, HeldConnection> {
  return held;
}

/** The held connection if its server still answers there, otherwise a new one, which is held from then on. */
export async function holdConnection(
  record: AddonRecord,
  task: Pick<Task, "signal" | "clock">,
): Promise<RedisClient> {
  const known = held.get(record.name);
  if (known !== undefined && isSameServer(known.record, record) && (await isOpen(known.client))) {
    held.set(record.name, { ...known, record });
    return known.client;
  }
  await closeHeld(record.name);
  const client = await open(record, task);
  held.set(record.name, { record, client });
  return client;
}

/** Closes it, as when the server was stopped. None is success. */
export async function closeHeld(name: string): Promise<void> {
  const known = held.get(name);
  held.delete(name);
  await known?.client[Symbol.asyncDispose]();
}

/** The connection outlives the call that it was made for, and its end is not told to anybody else's signal. */
async function open(record: AddonRecord, task: Pick<Task, "signal" | "clock">): Promise<RedisClient> {
  const making = new AbortController();
  const abandon = (): void => {
    making.abort(task.signal.reason);
  };
  task.signal.addEventListener("abort", abandon, { once: true });
  try {
    task.signal.throwIfAborted();
    return await connectPatiently(
      {
        ...addressOf(record),
        username: ADMIN_USER,
        subject: record.name,
        connectTimeoutMs: TIMEOUT_MS,
        commandTimeoutMs: TIMEOUT_MS,
      },
      { signal: making.signal, clock: task.clock },
      CROWDED_PATIENCE_MS,
    );
  } finally {
    task.signal.removeEventListener("abort", abandon);
  }
}

function addressOf({ server, credentials }: AddonRecord) {
  const { bind, port } = server.wish;
  return { host: reachableHost(bind), port, password: credentials.adminPassword };
}

function isSameServer(a: AddonRecord, b: AddonRecord): boolean {
  return JSON.stringify(addressOf(a)) === JSON.stringify(addressOf(b));
}

/** Any answer will do: a server that is loading or held up by a script is the one that was connected to. */
async function isOpen(client: RedisClient): Promise<boolean> {
  try {
    await client.command("PING");
    return true;
  } catch (error) {
    return !isLost(error);
  }
}

/** Whether an error means that the connection has ended. */
export function isLost(error: unknown): boolean {
  return error instanceof Failure && error.code === "connection-closed";
}
