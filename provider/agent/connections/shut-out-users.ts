import type { RedisClient } from "../../redis/client";

/** Ends the sessions of users: switching a user off lets the connections that are already open go on. */
export async function shutOutUsers(server: RedisClient): Promise<void> {
  await server.command("CLIENT", "KILL", "USER", "default");
}
