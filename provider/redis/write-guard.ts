import type { RedisClient } from "./client";

/**
 * More followers than a server can have, and than the setting takes from a program: whoever has it set takes no write.
 *
 * CLIENT PAUSE would be gentler, and can't be used: on a follower it holds up what its leader sends as well, so that a
 * failover to it never ends (tried on Redis 7.0 and Valkey 8 and 9). This one counts from the moment that it leads,
 * doesn't lapse, can't be lifted by users of any access, and a restart lifts it.
 */
const GUARD = "2147483647";
export const WRITE_GUARD = "min-replicas-to-write";

/** Has a follower take no write when it becomes a leader: it answers NOREPLICAS, until `takeWrites`. */
export async function guardWrites(client: RedisClient): Promise<void> {
  await client.command("CONFIG", "SET", WRITE_GUARD, GUARD);
}

/** `wished`: the setting's value otherwise. */
export async function takeWrites(client: RedisClient, wished: string): Promise<void> {
  await client.command("CONFIG", "SET", WRITE_GUARD, wished);
}

/** Whether the setting's value is the guard's. */
export function isWriteGuard(value: string | undefined): boolean {
  return value === GUARD;
}
