import type { AddonRecord } from "../../core/facets";
import { haltOf } from "../../core/followed";
import type { ReplicationState, SyncStatus } from "../../core/status";
import type { Task } from "../../core/task";
import { authority } from "../../core/uri";
import type { Placement, Platform } from "../../platforms/contract";
import type { RedisClient } from "../../redis/client";
import { isSet, numberIn, type Info } from "../../redis/info";
import { observationFrom } from "../../redis/observe";
import { classifySync } from "../../redis/sync-status";
import { addressOf, asSeen, followersOf, type Connected } from "./followers";
import { judged, strayWords } from "./judge";
import { askLeader, recordedLeader, shownLeader, type RecordedLeader } from "./leader";
import type { Look } from "./look";

export interface SeenReplication {
  readonly replication: ReplicationState;
  /** What keeps it from being as wished, each a sentence. */
  readonly problems: readonly string[];
}

type FollowerState = Extract<ReplicationState, { role: "follower" }>;

/** What an add-on replicates, as its server and its leader tell. `client` is its administrator's, `info` a first look. */
export async function seenReplication(
  look: Look,
  placement: Placement,
  { client, info }: { readonly client: RedisClient; readonly info: Info },
  task: Task,
): Promise<SeenReplication> {
  const { record } = placement;
  const leader = await recordedLeader(look.platform, record);
  if (leader === undefined) return leading(look.platform, placement, info);
  // Who follows nobody has nothing to ask.
  const asked = haltOf(record) === undefined ? await askLeader(look, leader, hasLink(info), task) : undefined;
  // Last, so that it is no older than what its leader says.
  const follower = await client.info();
  const seen = asked?.info && asSeen(addressOf(record), observationFrom(asked.info).followers);
  const classified = classifySync({ follower, leader: asked?.info });
  const differs = (numberIn(follower, "unexpected_error_replies") ?? 0) > 0 && isNotedBehind(placement);
  const sync = withLag(judged(placement, leader, { ...asked, seen, differs }, classified), seen);
  // Its own word for a link is that its leader's changes arrive; the snapshot before them comes from it as well.
  const link = hasLink(follower) || sync.state === "waiting" ? "up" : "down";
  const state = followerState(placement, leader, { link, sync }, task);
  const stray = asked === undefined ? undefined : strayWords(leader, follower);
  return { replication: state, problems: [...problemsOf(state), ...(stray === undefined ? [] : [stray])] };
}

/** What is recorded, where the server can't be asked; `why` it can't. */
export async function recordedReplication(
  { platform }: Look,
  placement: Placement,
  why: string,
  task: Task,
): Promise<SeenReplication> {
  const leader = await recordedLeader(platform, placement.record);
  if (leader === undefined) return leading(platform, placement, undefined);
  const sync = judged(placement, leader, {}, { state: "connecting", why });
  const state = followerState(placement, leader, { link: "unknown", sync }, task);
  // That the server doesn't answer is said already.
  return { replication: state, problems: sync.state === "broken" ? problemsOf(state) : [] };
}

function hasLink(follower: Info): boolean {
  return follower.get("master_link_status") === "up" || isSet(follower, "master_sync_in_progress");
}

function followerState(
  placement: Placement,
  leader: RecordedLeader,
  seen: Pick<FollowerState, "link" | "sync">,
  task: Task,
): FollowerState {
  const halted = haltOf(placement.record);
  return {
    ...{ role: "follower", leader: shownLeader(leader), ...seen },
    ...syncTimes(placement, seen.sync, task),
    ...(halted === undefined ? {} : { halted }),
    ...switchoverOf(placement.record, leader),
  };
}

async function leading(
  platform: Platform,
  { record, distrusted }: Placement,
  info: Info | undefined,
): Promise<SeenReplication> {
  const observed = info && observationFrom(info);
  const followers = await followersOf(platform, record, observed);
  const position = record.replication?.wish.position;
  const state: ReplicationState = {
    role: "leader",
    ...(position === undefined ? {} : { position }),
    followers,
    ...switchoverOf(record, undefined),
  };
  const follows =
    observed?.leader === undefined || record.removing !== undefined
      ? []
      : [
          `it should lead, and its server still follows ${authority(observed.leader.host, observed.leader.port)}`,
        ];
  return {
    replication: state,
    problems: [...problemsOf(state), ...(distrusted === undefined ? [] : [distrusted]), ...follows],
  };
}

/** The agent looks twice a second, and notes at once what is in sync. */
function isNotedBehind({ sync, unattended }: Placement): boolean {
  return sync?.state === "behind" && unattended === undefined;
}

function withLag(sync: SyncStatus, seen: Connected | undefined): SyncStatus {
  const lagSeconds = seen?.state === "online" ? seen.lagSeconds : sync.secondsSinceIo;
  return lagSeconds === undefined ? sync : { ...sync, lagSeconds };
}

/** The agent notes changes alone: in between, what it noted holds, for as long as there is an agent. */
function syncTimes(
  { sync: noted, unattended }: Placement,
  sync: SyncStatus,
  task: Task,
): Pick<FollowerState, "lastSyncedAt" | "inSyncSince"> {
  const isNoted = noted?.state === "synced";
  const isSynced = sync.state === "synced" || (isNoted && unattended === undefined);
  const last = isSynced ? new Date(task.clock.now()).toISOString() : noted?.since;
  return {
    ...(last === undefined ? {} : { lastSyncedAt: last }),
    ...(isNoted && sync.state === "synced" ? { inSyncSince: noted.since } : {}),
  };
}

/** One that is under way is recorded with the one that gives its role away. */
function switchoverOf(
  record: AddonRecord,
  leader: RecordedLeader | undefined,
): Pick<ReplicationState, "switchover"> {
  if (record.handingOver !== undefined) return { switchover: record.handingOver };
  const theirs = leader?.kind === "addon" ? leader.placement.record.handingOver : undefined;
  return theirs?.to === record.name ? { switchover: theirs } : {};
}

function problemsOf(state: ReplicationState): string[] {
  const { switchover } = state;
  const begun =
    switchover === undefined
      ? []
      : [`a switchover to ${switchover.to} was begun at ${switchover.since} and is not known to have ended`];
  if (state.role === "leader") return begun;
  const { sync } = state;
  if (sync.state === "broken") return [sync.why, ...begun];
  const apart =
    sync.state === "connecting" && sync.why !== undefined
      ? [`it has no link to its leader: ${sync.why}`]
      : [];
  return [...apart, ...begun];
}
