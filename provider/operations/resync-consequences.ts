import type { AddonStatus } from "../core/status";
import type { Task } from "../core/task";
import type { Platform } from "../platforms/contract";
import { inspect } from "./inspect";
import { leaderWords } from "./words/follower-words";

/** What it means that a follower takes what its leader has now, each a sentence; of a leader: none. */
export async function resyncConsequences(
  platform: Platform,
  { name, server, replication }: AddonStatus,
  task: Task,
): Promise<string[]> {
  if (replication.role === "leader") return [];
  const { leader, sync } = replication;
  const theirs = leader.addon === undefined ? undefined : await inspect(platform, leader.addon, task);
  const whose = leader.addon ?? leaderWords({ leader });
  return [
    ...(sync.state === "broken" ? [sync.why] : []),
    `what ${whose} has now${keysOf(theirs?.server)} takes the place of what ${name} holds${keysOf(server)}, which is backed up first`,
    ...(leader.addon === undefined ? [] : [`other followers of ${whose} take it too, backed up as well`]),
  ];
}

function keysOf(server: AddonStatus["server"] | undefined): string {
  if (server?.state !== "running") return "";
  return server.keys === 1 ? " (1 key)" : ` (${server.keys} keys)`;
}
