import type { ReplicationWish } from "../../core/facets";
import { heldWords } from "../../core/held-data";
import type { AddonStatus } from "../../core/status";
import { authority } from "../../core/uri";
import { isOfProgram } from "../declared-replication";
import type { FollowingPlan } from "../follow-by-person";

/** `cache`, `db.example:6379`. */
export function wishedLeaderWords(wish: ReplicationWish): string {
  return wish.kind === "addon" ? wish.addon : authority(wish.host, wish.port);
}

/** What it means that an add-on follows whom a person says, each a sentence; what is replaced is said apart. */
export function followingConsequences(
  { name, replication }: Pick<AddonStatus, "name" | "replication">,
  wish: ReplicationWish,
  { follows }: Pick<FollowingPlan, "follows">,
): string[] {
  const leader = wishedLeaderWords(wish);
  const before =
    follows && (follows.kind === "addon" ? follows.addon : authority(follows.host, follows.port));
  const own = replication.role === "leader" ? replication.followers.map((each) => each.addon) : [];
  const followers = own.filter((each) => each !== undefined);
  return [
    `${name} follows ${leader}: it takes no writes from then on, and has what the leader has`,
    ...(before === undefined || before === leader ? [] : [`it follows ${before} no longer`]),
    ...(followers.length === 0 ? [] : [`what follows ${name} takes it too: ${followers.join(", ")}`]),
  ];
}

/** What would be replaced, for who has to agree to it; absent: nothing. */
export function replacedWords(
  name: string,
  { replaces }: Pick<FollowingPlan, "replaces">,
): string | undefined {
  if (replaces === undefined) return undefined;
  const { held, follows } = replaces;
  const whose = follows ? "from the leader that it follows now" : "of its own";
  return `the leader's data replace ${heldWords(held)} that ${name} has ${whose}; a verified backup is taken first`;
}

/** What the next `pulumi up` makes of what a person has done. */
export function followingProgramWords({ record }: Pick<FollowingPlan, "record">): string {
  const { name, owner, replication } = record;
  if (replication === undefined || !isOfProgram(replication))
    return `No RedisFollower of a program says whom ${name} follows, so pulumi up leaves this as it is. Add the one below to ${owner.project}/${owner.stack} to have it there too: its next pulumi up takes over what is there.`;
  const { wish } = replication;
  const says =
    wish.position === "promoted" ? "that it was promoted" : `that it follows ${wishedLeaderWords(wish)}`;
  return `Its RedisFollower in ${owner.project}/${owner.stack} says ${says}: change it to what stands below. The next pulumi up of a program that doesn't undoes this, and refuses to where keys would be replaced and \`replaceData\` is not set.`;
}
