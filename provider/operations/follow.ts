import { addressAsLeader, noSuchLeader } from "../core/as-leader";
import { Failure } from "../core/errors";
import type { AddonRecord, ReplicationWish } from "../core/facets";
import type { LeaderAddress } from "../core/render";
import { planOf } from "../core/plans";
import type { Task } from "../core/task";
import type { Platform } from "../platforms/contract";
import { preflightLeader } from "../redis/preflight";
import { waitSynced } from "../redis/wait-synced";
import { recordOf } from "./applied";
import { connectAdmin } from "./connect-admin";
import type { Replicated, ReplicateRequest } from "./replicate";

/**
 * Makes the add-on follow and waits until it is synced; progress says how far it is.
 *
 * Refuses, before anything is touched, a leader that can't be followed, and an add-on whose own keys the leader's
 * snapshot would erase.
 */
export async function follow(platform: Platform, request: ReplicateRequest, task: Task): Promise<Replicated> {
  const { name, wish: leader } = request;
  const record = await existing(platform, name);
  const address = await leaderAddress(platform, leader, name);
  await refuseUnfit(platform, record, address, request, task);
  const { claim, given } = request;
  const change = { facet: "replication", name, claim, given, wish: leader } as const;
  const applied = recordOf(await platform.apply(change, task), "follow", name);
  await using server = await connectAdmin(platform, applied, task);
  await waitSynced(server, address, task, { deadlineMs: request.deadlineMs, name });
  return { record: applied };
}

async function refuseUnfit(
  platform: Platform,
  record: AddonRecord,
  address: LeaderAddress,
  request: ReplicateRequest,
  task: Task,
): Promise<void> {
  task.progress({ message: "checking the leader" });
  await using server = await connectAdmin(platform, record, task);
  const { wish: leader } = request;
  const leaderDatabases = leader.kind === "addon" ? await databasesOf(platform, leader.addon) : undefined;
  const preflight = await preflightLeader(
    server,
    address,
    task,
    leaderDatabases === undefined ? {} : { leaderDatabases },
  );
  const refusal = preflight.findings.find((finding) => finding.severity === "refuse");
  if (refusal !== undefined)
    throw new Failure({ ...refusal, operation: "follow with", subject: request.name });
  if ((await isUnchanged(platform, record, leader)) || preflight.sharesHistory) return;
  if (preflight.followerKeys === 0) return;
  const whose = record.replication === undefined ? "of its own" : "from the leader it follows now";
  throw new Failure({
    code: "holds-data",
    operation: "follow with",
    subject: request.name,
    cause: `it holds ${preflight.followerKeys} keys ${whose}, which the new leader's data would replace`,
    hint: "Use an empty add-on; or make this one a leader (remove its RedisFollower), back it up and delete its keys first",
  });
}

/** What the add-on holds then came from that very leader, which was checked before it first followed. */
async function isUnchanged(
  platform: Platform,
  { replication }: AddonRecord,
  wanted: ReplicationWish,
): Promise<boolean> {
  const recorded = replication?.wish;
  if (recorded?.kind === "addon") {
    const sameName = wanted.kind === "addon" && recorded.addon === wanted.addon;
    // Made anew under the old name it is another leader, and an empty one.
    return sameName && (await platform.load(recorded.addon))?.createdAt === replication?.leaderCreatedAt;
  }
  if (recorded === undefined || wanted.kind === "addon") return false;
  return recorded.host === wanted.host && recorded.port === wanted.port;
}

async function existing(platform: Platform, name: string): Promise<AddonRecord> {
  const record = await platform.load(name);
  return recordOf(
    record === undefined ? { outcome: "absent" } : { outcome: "applied", record },
    "follow with",
    name,
  );
}

async function leaderAddress(
  platform: Platform,
  leader: ReplicationWish,
  follower: string,
): Promise<LeaderAddress> {
  if (leader.kind === "external") return leader;
  const record = await platform.load(leader.addon);
  if (record === undefined) throw noSuchLeader(leader.addon, follower);
  return addressAsLeader(record);
}

async function databasesOf(platform: Platform, name: string): Promise<number | undefined> {
  const record = await platform.load(name);
  return record === undefined ? undefined : planOf(record.server.wish.plan).databases;
}
