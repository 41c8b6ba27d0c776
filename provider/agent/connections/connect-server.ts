import type { AddonRecord } from "../../core/facets";
import type { Task } from "../../core/task";
import type { RedisClient } from "../../redis/client";
import { holdConnection } from "./held-connections";

/**
 * An add-on's server on this machine, as the internal administrator: over the connection that the agent holds open to
 * it, so that it works as well where users take all that there are. Disposing it leaves that open; an abort ends the
 * caller's wait alone.
 */
export async function connectServer(
  record: AddonRecord,
  task: Pick<Task, "signal" | "clock">,
): Promise<RedisClient> {
  const { signal } = task;
  const client = await untilAborted(() => holdConnection(record, task), signal);
  return {
    subject: client.subject,
    command: (name, ...args) => untilAborted(() => client.command(name, ...args), signal),
    info: () => untilAborted(() => client.info(), signal),
    config: (...parameters) => untilAborted(() => client.config(...parameters), signal),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function untilAborted<Answer>(begin: () => Promise<Answer>, signal: AbortSignal): Promise<Answer> {
  signal.throwIfAborted();
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => {
    aborted.reject(signal.reason);
  };
  signal.addEventListener("abort", abort, { once: true });
  try {
    return await Promise.race([begin(), aborted.promise]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
