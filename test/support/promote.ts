import type { Task } from "../../provider/core/task";
import type { RedisClient } from "../../provider/redis/client";
import { refuseWhileSyncing, stopFollowing, waitDurable } from "../../provider/redis/promote";

/** A whole promotion on one server's connection: what the platform does in its parts. */
export async function promote(
  client: RedisClient,
  task: Task,
  { name = client.subject, deadlineMs }: { name?: string; deadlineMs: number },
): Promise<{ readonly finalOffset: number }> {
  await refuseWhileSyncing(client, name);
  const promotion = await stopFollowing(client, task, name);
  await waitDurable(client, task, { name, operation: "promote", deadlineMs });
  return promotion;
}
