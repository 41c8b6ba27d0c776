import type { AddonStatus, FollowedLeader, Health, ListedFollower, ServerState, SyncStatus } from "./status";

/** How an add-on follows its leader at one moment. Times are ISO 8601; what is not known is absent. It holds no secret. */
export interface FollowerStatus {
  /** The add-on's name. */
  readonly addon: string;
  /** `leader` where it follows nobody: promoted, switched over, or never told to follow. */
  readonly role: "follower" | "leader";
  /** How a follower came to lead. */
  readonly position?: "promoted" | "switched-over";
  /** Whom it follows: the name where it is an add-on of the same data home, and its address. */
  readonly leader?: FollowedLeader;
  /**
   * How far a follower is: `connecting` to its leader, `waiting` for its snapshot, `syncing` (it is being received),
   * `loading` it, `synced`, or `broken`: no waiting helps. Absent for a leader.
   */
  readonly state?: SyncStatus["state"];
  /** Why it is `broken` or still `connecting`, a sentence without a full stop. */
  readonly why?: string;
  /** `up` while anything comes from the leader, its snapshot included. Absent for a leader. */
  readonly link?: "up" | "down" | "unknown";
  /** While `syncing` or `loading`: how much of the snapshot is done, 0 to 100. */
  readonly percent?: number;
  /** Whether `percent` and `totalBytes` are a guess: a leader that streams its snapshot announces no size. */
  readonly estimated?: boolean;
  /** Bytes of the snapshot that were received. */
  readonly doneBytes?: number;
  /** Bytes of the whole snapshot. */
  readonly totalBytes?: number;
  /** While `syncing`: whether the snapshot is loaded and what was written meanwhile is being applied. */
  readonly catchingUp?: boolean;
  /** While `synced`: whether all of it would survive a kill -9. It is false for a moment at each rewrite of the AOF. */
  readonly durable?: boolean;
  /** What the leader has and this one has not applied yet, in bytes; absent where the leader's INFO can't be read. */
  readonly lagBytes?: number;
  /**
   * Seconds since the leader last heard what this one has applied (it tells each second); where the leader can't be
   * asked, seconds since anything came from it.
   */
  readonly lagSeconds?: number;
  /** Seconds since anything came from the leader, which pings each 10 s when nothing is written. */
  readonly secondsSinceIo?: number;
  /** The last moment at which it is known to have been in sync. Absent: it never was. */
  readonly lastSyncedAt?: string;
  /** Since when it has been in sync. Absent where it is not. */
  readonly inSyncSince?: string;
  /** Why it was told to follow nobody until its RedisFollower is changed, and since when. */
  readonly halted?: { readonly why: string; readonly since: string };
  /** An exchange of roles that was begun and is not known to have ended: who shall lead. */
  readonly switchover?: { readonly to: string; readonly since: string };
  /** Of a leader: who follows it, each with its lag. */
  readonly followers?: readonly ListedFollower[];
  readonly health: Health;
  /** Whether its own server runs. */
  readonly server: ServerState["state"];
  /** What keeps it from being healthy, each a sentence. */
  readonly problems: readonly string[];
}

/** What an add-on's status says of its replication, in one flat document. */
export function followerStatusOf({
  name,
  replication,
  health,
  server,
  problems,
}: AddonStatus): FollowerStatus {
  const { role, switchover } = replication;
  const common = {
    ...(switchover === undefined ? {} : { switchover }),
    ...{ health, server: server.state, problems },
  };
  if (replication.role === "leader") {
    const { position, followers } = replication;
    return { addon: name, role, ...(position === undefined ? {} : { position }), followers, ...common };
  }
  const { leader, link, sync, lastSyncedAt, inSyncSince, halted } = replication;
  return {
    ...{ addon: name, role, leader, link },
    ...sync,
    ...(lastSyncedAt === undefined ? {} : { lastSyncedAt }),
    ...(inSyncSince === undefined ? {} : { inSyncSince }),
    ...(halted === undefined ? {} : { halted }),
    ...common,
  };
}
