import type { Task } from "../core/task";
import type { Platform } from "../platforms/contract";
import { declaredReplication, isOfProgram } from "./declared-replication";
import { promote } from "./promote";
import type { Replicated } from "./replicate";

/**
 * Makes a follower a leader with all that it received, as a person asks for it. Its RedisFollower stays, and says so with
 * its next update or undoes it; where a person had told it to follow, it is as if nobody ever had. Fails as `promote`,
 * and with `not-a-follower` or `switched-over`.
 */
export async function promoteByPerson(
  platform: Platform,
  { name, deadlineMs }: { readonly name: string; readonly deadlineMs: number },
  task: Task,
): Promise<Replicated> {
  const declared = declaredReplication(name, await platform.load(name));
  const { wish, given } = declared;
  const claim = { kind: "person" } as const;
  const promoted = isOfProgram(declared) ? ({ ...wish, position: "promoted" } as const) : undefined;
  return promote(platform, { name, claim, given, wish: promoted, deadlineMs }, task);
}
