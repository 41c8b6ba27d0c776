import type { ReplicationWish } from "../core/facets";
import { followed } from "../core/followed";
import type { Task } from "../core/task";
import type { Claim, Platform } from "../platforms/contract";
import { refuseWhileSyncing } from "../redis/promote";
import { recordOf } from "./applied";
import { connectAdmin } from "./connect-admin";
import type { Replicated } from "./replicate";

interface PromoteRequest {
  readonly name: string;
  readonly claim: Claim;
  readonly given: readonly string[];
  /** As declared, its position `promoted`; absent: it is as if nobody had ever told it to follow. */
  readonly wish: ReplicationWish | undefined;
  readonly deadlineMs: number;
}

/**
 * Makes a follower a leader with all that it received, durably, while its RedisFollower stays. Already one: nothing.
 * Refused (`syncing`, `loading`) while its leader's snapshot is on its way.
 */
export async function promote(
  platform: Platform,
  { name, claim, given, wish }: PromoteRequest,
  task: Task,
): Promise<Replicated> {
  const existing = await platform.load(name);
  if (existing !== undefined && followed(existing) !== undefined) {
    await using server = await connectAdmin(platform, existing, task);
    await refuseWhileSyncing(server, name);
  }
  const applied = await platform.apply({ facet: "replication", name, claim, given, wish }, task);
  const record = recordOf(applied, "promote", name);
  return { record, finalOffset: applied.outcome === "applied" ? applied.finalOffset : undefined };
}

/** Takes the declaration that it follows away: a leader with its data. `stale`: nothing was touched. */
export async function stopFollowing(
  platform: Platform,
  { name, token }: { readonly name: string; readonly token: string },
  task: Task,
): Promise<
  | { readonly outcome: "promoted"; readonly finalOffset: number | undefined }
  | { readonly outcome: "stale" | "absent" }
> {
  const claim: Claim = { kind: "carry", token };
  const applied = await platform.apply(
    { facet: "replication", name, claim, given: [], wish: undefined },
    task,
  );
  return applied.outcome === "applied"
    ? { outcome: "promoted", finalOffset: applied.finalOffset }
    : { outcome: applied.outcome };
}
