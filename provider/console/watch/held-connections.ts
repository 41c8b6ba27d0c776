import { Failure } from "../../core/errors";
import type { AddonRecord } from "../../core/facets";
import type { Clock } from "../../core/task";
import { connectAdmin, type ConnectAdmin } from "../../operations/connect-admin";
import type { RedisClient } from "../../redis/client";

/** Connections to servers that are looked at again and again: a new one each time costs more than the look. */
export interface HeldConnections extends AsyncDisposable {
  readonly connect: ConnectAdmin;
  /** Closes those to add-ons that are gone. */
  keepOnly(names: ReadonlySet<string>): Promise<void>;
}

interface Held {
  /** What it was made with; another password or port wants another connection. */
  readonly way: string;
  readonly client: Promise<RedisClient>;
}

/** `signal` ends what is being connected; a look that is given up leaves its connection to the next one. */
export function heldConnections(clock: Clock, signal: AbortSignal): HeldConnections {
  const held = new Map<string, Held>();
  const drop = async (name: string, which: Held | undefined = held.get(name)): Promise<void> => {
    if (which === undefined) return;
    if (held.get(name) === which) held.delete(name);
    const client = await which.client.catch(() => undefined);
    await client?.[Symbol.asyncDispose]();
  };
  return {
    connect: async (platform, record, task) => {
      const way = wayTo(record);
      const known = held.get(record.name);
      if (known !== undefined && known.way !== way) await drop(record.name, known);
      const found = held.get(record.name) ?? {
        way,
        client: connectAdmin(platform, record, { clock, signal }),
      };
      held.set(record.name, found);
      const client = await untilAborted(found.client, task.signal).catch(async (error: unknown) => {
        if (!task.signal.aborted) await drop(record.name, found);
        throw error;
      });
      return lent(client, task.signal, () => drop(record.name, found));
    },
    keepOnly: async (names) => {
      await Promise.all([...held.keys()].filter((name) => !names.has(name)).map((name) => drop(name)));
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...held.keys()].map((name) => drop(name)));
    },
  };
}

/** One that has failed is not lent again: also one whose server hangs, of which late answers would be taken for others. */
function lent(client: RedisClient, signal: AbortSignal, drop: () => Promise<void>): RedisClient {
  const watched = async <Answer>(answer: Promise<Answer>): Promise<Answer> =>
    untilAborted(answer, signal).catch(async (error: unknown) => {
      if (error instanceof Failure && error.code !== "loading" && !signal.aborted) await drop();
      throw error;
    });
  return {
    subject: client.subject,
    command: (name, ...args) => watched(client.command(name, ...args)),
    info: () => watched(client.info()),
    config: (...parameters) => watched(client.config(...parameters)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

function wayTo({ server, credentials }: AddonRecord): string {
  const { bind, port } = server.wish;
  return JSON.stringify([bind, port, credentials.adminPassword]);
}

async function untilAborted<Answer>(work: Promise<Answer>, signal: AbortSignal): Promise<Answer> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => {
    aborted.reject(signal.reason);
  };
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([work, aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
