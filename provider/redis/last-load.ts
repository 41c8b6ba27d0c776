import { Failure } from "../core/errors";
import type { RedisClient } from "./client";
import { isSet, type Info } from "./info";

/**
 * Whether a follower's last try to load its leader's snapshot failed: its memory is empty, and the data from before
 * are on its disk only. Redis turns the AOF off for a load and on again when one succeeds, without answering anybody
 * in between unless as loading; so an AOF that is off against its configuration tells. REPLICAOF NO ONE would turn it
 * on as well, from the empty memory, over the old data.
 */
export async function lastLoadFailed(client: RedisClient, info: Info): Promise<boolean> {
  if (info.get("role") !== "slave" || isSet(info, "loading") || isSet(info, "aof_enabled")) return false;
  return (await client.config("appendonly")).get("appendonly") === "yes";
}

/** Fails (`load-failed`) where only a restart brings a server's data back: the last load of a snapshot failed. */
export async function requireLoaded(client: RedisClient, operation: string, subject: string): Promise<void> {
  if (!(await lastLoadFailed(client, await client.info()))) return;
  throw new Failure({
    code: "load-failed",
    operation,
    subject,
    cause: "the last load of its leader's snapshot failed, so its memory is empty",
    hint: "Restart its server instead: the data from before are still on its disk",
  });
}
