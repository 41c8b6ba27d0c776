import type { AddonRecord } from "../../core/facets";
import type { Task } from "../../core/task";
import type { RedisClient } from "../../redis/client";
import { unlessAborted } from "../../system/unless-aborted";
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
  const client = await unlessAborted(() => holdConnection(record, task), signal);
  return {
    subject: client.subject,
    command: (name, ...args) => unlessAborted(() => client.command(name, ...args), signal),
    info: () => unlessAborted(() => client.info(), signal),
    config: (...parameters) => unlessAborted(() => client.config(...parameters), signal),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}
