import { ADMIN_USER } from "../core/access";
import type { AddonRecord } from "../core/facets";
import { reachableHost } from "../core/settings";
import type { Task } from "../core/task";
import { connectRedis, type RedisClient } from "../redis/client";

/** An add-on's server on this machine, as the internal administrator. */
export function connectServer(
  record: AddonRecord,
  task: Pick<Task, "signal">,
  timeoutMs = 10_000,
): Promise<RedisClient> {
  return connectRedis(
    {
      host: reachableHost(record.server.wish.bind),
      port: record.server.wish.port,
      username: ADMIN_USER,
      password: record.credentials.adminPassword,
      subject: record.name,
      connectTimeoutMs: timeoutMs,
      commandTimeoutMs: timeoutMs,
    },
    task,
  );
}
