import { addressAsLeader, noSuchLeader } from "../core/as-leader";
import type { AddonRecord, ReplicationWish } from "../core/facets";
import { followingLoop, loopWords } from "../core/following-loop";
import { followsAlready } from "../core/follows-already";
import { holderOfRole } from "../core/leading-addon";
import { planOf } from "../core/plans";
import type { LeaderAddress } from "../core/render";
import type { Task } from "../core/task";
import type { Platform } from "../platforms/contract";
import type { RedisClient } from "../redis/client";
import { preflightLeader, type Preflight } from "../redis/preflight";
import { refusal, type Finding } from "../redis/preflight/finding";

/** The leader that a wish names, as it stands now. */
export interface WishedLeader {
  readonly address: LeaderAddress;
  /** Absent: no add-on of this platform. */
  readonly record?: AddonRecord;
  /** Whether the add-on follows this very leader already: then all it holds came from there. */
  readonly isFollowed: boolean;
}

/** Whom an add-on is to follow, a switchover followed to where the role is now. */
export async function wishedLeader(
  platform: Platform,
  follower: AddonRecord,
  wish: ReplicationWish,
): Promise<WishedLeader> {
  if (wish.kind === "external")
    return { address: wish, isFollowed: followsAlready(follower, wish, undefined) };
  const named = await platform.load(wish.addon);
  if (named === undefined) throw noSuchLeader(wish.addon, follower.name);
  const record = (await holderOfRole(named, follower.name, (name) => platform.load(name))) ?? named;
  return {
    record,
    address: addressAsLeader(record),
    isFollowed: followsAlready(follower, wish, named.createdAt),
  };
}

/** What stands against an add-on following a leader, by records and by what both servers say. Reads only. */
export async function preflightFollow(
  platform: Platform,
  { name, server, leader }: { name: string; server: RedisClient; leader: WishedLeader },
  task: Pick<Task, "signal"> & Partial<Pick<Task, "clock">>,
  { leaderTimeoutMs }: { leaderTimeoutMs?: number } = {},
): Promise<Preflight> {
  const { record, address } = leader;
  const known = (await loopByRecords(platform, name, leader)) ?? (await distrust(platform, leader));
  const placement = await platform.placement(name);
  const found = await preflightLeader(server, address, task, {
    leaderDatabases: record && planOf(record.server.wish.plan).databases,
    freeBytes: placement?.freeBytes,
    ...(leaderTimeoutMs === undefined ? {} : { leaderTimeoutMs }),
  });
  if (known !== undefined) return { ...found, findings: [known] };
  return record === undefined ? found : { ...found, findings: found.findings.map(passing) };
}

/** An add-on of ours refuses copies for the moment after its start in which its data are compared. */
function passing(finding: Finding): Finding {
  return finding.code === "leader-refuses-psync" ? { ...finding, transient: true } : finding;
}

/** Such a leader refuses its followers, and would seem to lack a right. */
async function distrust(platform: Platform, { record }: WishedLeader): Promise<Finding | undefined> {
  const why = record && (await platform.placement(record.name))?.distrusted;
  if (record === undefined || why === undefined) return undefined;
  return refusal("leader-distrusted", `the leader ${record.name}: ${why}`, "Then run this again");
}

/** Whether records alone say that the add-on would follow itself, through however many others. */
export async function loopByRecords(
  platform: Platform,
  name: string,
  { record }: WishedLeader,
): Promise<Finding | undefined> {
  const loop = record && (await followingLoop(name, record, (other) => platform.load(other)));
  if (loop === undefined) return undefined;
  const { cause, hint } = loopWords(loop);
  return refusal("replication-loop", cause, hint);
}
