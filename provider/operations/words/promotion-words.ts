import type { FollowerStatus } from "../../core/follower-status";
import { memoryText } from "../../core/memory-size";
import type { SyncStatus } from "../../core/status";
import { syncWords } from "../../redis/sync-status";
import { leaderWords } from "./follower-words";

/** What it means that a follower becomes a leader, each a sentence. */
export function promotionConsequences(status: FollowerStatus): string[] {
  const { addon, state, lagBytes } = status;
  const leader = leaderWords(status);
  const lost =
    state !== "synced"
      ? [
          `${addon} is not in sync now (${syncWords(status as SyncStatus)}): what it has not received, it never will`,
        ]
      : lagBytes === undefined || lagBytes === 0
        ? []
        : [
            `what ${leader} has and it has not received is left behind: ${memoryText(lagBytes)} at this moment`,
          ];
  return [
    `${addon} becomes a leader with the data that it has, and follows ${leader} no longer`,
    `the two are independent from then on: later writes to the one don't reach the other`,
    ...lost,
  ];
}

/** What its program has to say after a promotion. `isOfProgram`: whether there is one that says anything of it. */
export function promotedProgramWords(isOfProgram: boolean): string {
  return isOfProgram
    ? "Now say `promote: true` in its RedisFollower, or take that out of the program: its next pulumi up has it follow again otherwise, and refuses that because it holds keys."
    : "No RedisFollower had declared that it follows, so no program has to say otherwise.";
}
