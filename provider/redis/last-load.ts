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
