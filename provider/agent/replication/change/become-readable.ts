import { REPLICA_USER } from "../../../core/access";
import type { Task } from "../../../core/task";
import type { RedisClient } from "../../../redis/client";
import { stopFollowing } from "../../../redis/promote";
import { refuseWrites } from "./refuse-writes";

/**
 * Has a server give a snapshot of what it holds: a follower without a link to its leader gives none away, as a leader it
 * does, with the same data. Nobody else copies them meanwhile, and nobody writes. Placing it undoes this. False: there
 * was nothing to do.
 */
export async function becomeReadable(server: RedisClient, task: Task, name: string): Promise<boolean> {
  const info = await server.info();
  if (info.get("role") !== "slave" || info.get("master_link_status") === "up") return false;
  await refuseWrites(server);
  // Those that follow it may have more than it has: what it lacks is at the leader that it has no link to.
  await server.command("ACL", "SETUSER", REPLICA_USER, "-psync", "-sync", "-replconf");
  await stopFollowing(server, task, name);
  return true;
}
