import type { AddonStatus } from "../../core/status";

/** What it means that `leader` takes over from `follower`, each a sentence. */
export function switchoverConsequences(
  { name: leader, host, port, replication }: AddonStatus,
  follower: string,
  waitText: string,
): string[] {
  const behind =
    replication.role === "follower" && replication.sync.state !== "synced"
      ? [`${leader} is not in sync now, so this may well fail, with everything left as it was`]
      : [];
  return [
    `${leader} becomes the leader, and ${follower} follows it`,
    `writes wait while the roles are exchanged, at most ${waitText}`,
    `${follower} answers READONLY from then on: programs that write connect to ${leader} at ${host}:${port}`,
    ...behind,
  ];
}

/** What the program has to say after an exchange of roles. */
export function switchedProgramWords(
  { follower, isOfProgram }: { readonly follower: string; readonly isOfProgram: boolean },
  to: "switched-over" | "declared",
): string {
  if (!isOfProgram) return "No RedisFollower declares this pair, so no program has to say otherwise.";
  return to === "switched-over"
    ? `Now say \`switchedOver: true\` in the RedisFollower of ${follower}: its next pulumi up exchanges them back otherwise.`
    : `Now take \`switchedOver\` out of the RedisFollower of ${follower}: its next pulumi up exchanges them again otherwise.`;
}
