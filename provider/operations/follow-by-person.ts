import { noSuchLeader } from "../core/as-leader";
import { Failure } from "../core/errors";
import type { AddonRecord, ReplicationWish } from "../core/facets";
import { followed } from "../core/followed";
import type { Task } from "../core/task";
import type { Platform } from "../platforms/contract";
import { noSuchAddon } from "./no-such-addon";
import { previewFollow, type FollowPreview } from "./preview-follow";
import { replicate, type Replicated } from "./replicate";

/** Whom a person has an add-on follow. */
export interface PersonsFollowing {
  readonly name: string;
  readonly wish: ReplicationWish;
}

/** What of an add-on says whom it follows before a person says something else. */
export interface FollowingPlan extends FollowPreview {
  readonly record: AddonRecord;
  /** Whom it follows now, where it follows somebody. */
  readonly follows?: NonNullable<ReturnType<typeof followed>>;
}

/**
 * What following would meet, without touching anything; takes as long as `previewFollow`. Fails where records alone say
 * that it can't be: `no-such-addon`, `no-such-leader`, `leader-is-itself`, `roles-exchanged`.
 */
export async function planFollowing(
  platform: Platform,
  { name, wish }: PersonsFollowing,
): Promise<FollowingPlan> {
  const record = await allowed(platform, { name, wish });
  const follows = followed(record);
  const found = await previewFollow(platform, { name, wish });
  return { ...found, record, ...(follows === undefined ? {} : { follows }) };
}

/**
 * Makes an add-on follow as a person asks for it, and waits until it is in sync. A RedisFollower that says whom it
 * follows stays, and brings back what it says with its next update; without one this is as one that the next RedisFollower
 * of the add-on's program takes over. Fails as `planFollowing` and `replicate` do.
 */
export async function followByPerson(
  platform: Platform,
  {
    name,
    wish,
    replaceData,
    deadlineMs,
  }: PersonsFollowing & { readonly replaceData: boolean; readonly deadlineMs: number },
  task: Task,
): Promise<Replicated> {
  const { replication } = await allowed(platform, { name, wish });
  const given = replication?.given ?? ["addon", "leader"];
  const claim = { kind: "person" } as const;
  return replicate(platform, { name, claim, wish, given, replaceData, deadlineMs }, task);
}

async function allowed(platform: Platform, { name, wish }: PersonsFollowing): Promise<AddonRecord> {
  const record = await platform.load(name);
  if (record === undefined) throw await noSuchAddon(platform, name, "");
  if (wish.kind === "addon" && wish.addon === name)
    throw new Failure({
      ...{ code: "leader-is-itself", operation: "follow with", subject: name },
      ...{ cause: "an add-on can't follow itself", hint: "Choose another leader" },
    });
  if (wish.kind === "addon" && (await platform.load(wish.addon)) === undefined)
    throw noSuchLeader(wish.addon, name);
  // Only an exchange of roles undoes one: a third leader would leave the other of the two without any.
  const { demoted, replication } = record;
  if (demoted !== undefined) throw rolesExchanged(name, `it gave its role to ${demoted.to}, and follows it`);
  const present = replication?.wish;
  const isSwitched = present?.kind === "addon" && present.position === "switched-over";
  if (isSwitched && (await platform.load(present.addon)) !== undefined)
    throw rolesExchanged(name, `it has the role of ${present.addon}, which follows it`);
  return record;
}

function rolesExchanged(name: string, cause: string): Failure {
  return new Failure({
    ...{ code: "roles-exchanged", operation: "follow with", subject: name, cause },
    hint: `Exchange the roles back first: redis-addon follower switchover ${name} --back`,
  });
}
