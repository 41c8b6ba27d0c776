import { Failure } from "../../core/errors";
import type { AddonRecord } from "../../core/facets";
import type { Clock } from "../../core/task";
import { connectAdmin, type ConnectAdmin } from "../../operations/connect-admin";
import type { RedisClient } from "../../redis/client";
import { unlessAborted } from "../../system/unless-aborted";

/** Connections to servers that are looked at again and again: a new one each time costs more than the look. */
export interface HeldConnections extends AsyncDisposable {
  readonly connect: ConnectAdmin;
  /** Closes those to add-ons that are gone. */
  keepOnly(names: ReadonlySet<string>): void;
}

interface Held {
  /** What it was made with; another password or port wants another connection. */
  readonly way: string;
  readonly client: Promise<RedisClient>;
  /** Ends it, also while it is being made. */
  readonly end: () => Promise<void>;
}

/** For each answer: a server that hangs must not keep those who look from seeing the others. */
const PATIENCE_MS = 2_000;

/** `signal` ends what is being connected; a look that is given up leaves its connection to the next one. */
export function heldConnections(clock: Clock, signal: AbortSignal): HeldConnections {
  const held = new Map<string, Held>();
  const drop = async (name: string, which: Held): Promise<void> => {
    if (held.get(name) === which) held.delete(name);
    await which.end();
  };
  return {
    connect: async (platform, record, task) => {
      const { name } = record;
      const way = wayTo(record);
      const known = held.get(name);
      // Nobody waits for its end: it may be one that hangs.
      if (known !== undefined && known.way !== way) void drop(name, known);
      const found =
        held.get(name) ?? begin(way, (own) => connectAdmin(platform, record, { clock, signal: own }));
      held.set(name, found);
      const patient = patience(clock, task.signal, name);
      try {
        const client = await patient(() => found.client);
        return lent(client, patient, () => void drop(name, found));
      } catch (error) {
        // One that is still being made is what the next look waits for.
        if (!task.signal.aborted && !isImpatience(error)) void drop(name, found);
        throw error;
      }
    },
    keepOnly: (names) => {
      for (const [name, each] of held) if (!names.has(name)) void drop(name, each);
    },
    [Symbol.asyncDispose]: async () => {
      await Promise.all([...held].map(([name, each]) => drop(name, each)));
    },
  };

  function begin(way: string, make: (signal: AbortSignal) => Promise<RedisClient>): Held {
    const ended = new AbortController();
    const client = make(AbortSignal.any([signal, ended.signal]));
    // It may fail while nobody waits for it.
    client.catch(() => undefined);
    const end = async (): Promise<void> => {
      ended.abort(new Error("nobody needs this connection any more"));
      const made = await client.catch(() => undefined);
      await made?.[Symbol.asyncDispose]();
    };
    return { way, client, end };
  }
}

type Patient = <Answer>(ask: () => Promise<Answer>) => Promise<Answer>;

/** One that has failed is not lent again. */
function lent(client: RedisClient, patient: Patient, drop: () => void): RedisClient {
  const watched: Patient = (ask) =>
    patient(ask).catch((error: unknown) => {
      if (error instanceof Failure && error.code !== "loading") drop();
      throw error;
    });
  return {
    subject: client.subject,
    command: (name, ...args) => watched(() => client.command(name, ...args)),
    info: () => watched(() => client.info()),
    config: (...parameters) => watched(() => client.config(...parameters)),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

const IMPATIENT = "no-answer";

function isImpatience(error: unknown): boolean {
  return error instanceof Failure && error.code === IMPATIENT;
}

/** Waits for an answer until the signal is aborted, and for no longer than somebody who looks should wait. */
function patience(clock: Clock, signal: AbortSignal, subject: string): Patient {
  return async (ask) => {
    const answered = new AbortController();
    const cause = `it did not answer within ${PATIENCE_MS / 1000} s`;
    const late = async (): Promise<never> => {
      await clock.sleep(PATIENCE_MS, answered.signal);
      throw new Failure({ code: IMPATIENT, operation: "look at", subject, cause, transient: true });
    };
    try {
      return await unlessAborted(() => Promise.race([ask(), late()]), signal);
    } finally {
      answered.abort(new Error("it was answered"));
    }
  };
}

function wayTo({ server, credentials }: AddonRecord): string {
  const { bind, port } = server.wish;
  return JSON.stringify([bind, port, credentials.adminPassword]);
}
