import type { BackupHealth } from "./backup-health";
import type { BackupsWish, ReplicationWish, ServerWish } from "./facets";
import type { Restored, Restoring } from "./restore";
import type { VerificationOutcome } from "./verification";

/** How far a follower is. Percent is absent where it cannot be known; `estimated` percents are shown with "~". */
export type SyncStatus = (
  | { readonly state: "connecting"; readonly why?: string }
  /** For the leader's snapshot. */
  | { readonly state: "waiting" }
  | {
      readonly state: "syncing";
      /** The snapshot is loaded; what was written meanwhile is still being applied. */
      readonly catchingUp: boolean;
      /** Of the snapshot. */
      readonly doneBytes: number;
      readonly totalBytes?: number;
      readonly percent?: number;
      /** A leader that streams its snapshot from memory announces no size: then total and percent are a guess. */
      readonly estimated?: boolean;
    }
  | { readonly state: "loading"; readonly percent?: number }
  /** `durable`: what was received would survive a kill -9. It is false for a moment at each rewrite of the AOF. */
  | { readonly state: "synced"; readonly durable: boolean }
  | { readonly state: "broken"; readonly why: string }
) & {
  /** Between what the leader has and what was applied here; absent where the leader's INFO can't be read. */
  readonly lagBytes?: number;
  /**
   * Since the leader last heard what this follower has applied (it tells each second); where the leader can't be asked,
   * since anything came from it.
   */
  readonly lagSeconds?: number;
  /** Since anything came from the leader. */
  readonly secondsSinceIo?: number;
};

export interface ServerAddress {
  readonly host: string;
  readonly port: number;
}

export type ServerState =
  | { readonly state: "starting" }
  | { readonly state: "stopped"; readonly why: string }
  | { readonly state: "unreachable"; readonly why: string }
  | {
      readonly state: "running";
      /** As the server reports it: `7.2.4`, `valkey-8.1.8`. */
      readonly version: string;
      readonly pid: number;
      readonly memoryUsedBytes: number;
      readonly keys: number;
      readonly connections: number;
      readonly uptimeSeconds: number;
      /** Commands, as its server measured them in the last second or two. */
      readonly operationsPerSecond: number;
      /** Lookups of keys that were there and that weren't, since its start. */
      readonly keyspaceHits: number;
      readonly keyspaceMisses: number;
      /** Keys that made room for others, since its start. */
      readonly evictedKeys: number;
    };

/** A follower as its leader sees it. */
export interface ListedFollower extends ServerAddress {
  /** Its name, where it is an add-on of the same place. */
  readonly addon?: string;
  /** `absent`: an add-on that should follow and isn't connected. */
  readonly state: "online" | "syncing" | "absent";
  /** Between what the leader has and what the follower last said that it has. */
  readonly lagBytes?: number;
  /** Since it last said so; it does each second. */
  readonly lagSeconds?: number;
}

/** Whom an add-on follows. Host and port are absent where it is an add-on that is gone. */
export interface FollowedLeader extends Partial<ServerAddress> {
  /** Its name, where it is an add-on of the same place. */
  readonly addon?: string;
}

export type ReplicationState = (
  | {
      readonly role: "leader";
      /** How a follower came to lead; absent: it was declared as a leader. */
      readonly position?: NonNullable<ReplicationWish["position"]>;
      readonly followers: readonly ListedFollower[];
    }
  | {
      readonly role: "follower";
      /** As recorded. What its server says is an address on this machine where somebody speaks TLS for it. */
      readonly leader: FollowedLeader;
      /** `up` while anything comes from the leader, its snapshot included. */
      readonly link: "up" | "down" | "unknown";
      readonly sync: SyncStatus;
      /** ISO 8601: the last moment at which it is known to have been in sync; absent: it never was. */
      readonly lastSyncedAt?: string;
      /** ISO 8601; absent where it is not in sync. */
      readonly inSyncSince?: string;
      /** Why it was told to follow nobody for now, and since when. */
      readonly halted?: { readonly why: string; readonly since: string };
    }
) & {
  /** The exchange of roles with its follower, or its leader, that was begun and is not known to have ended. */
  readonly switchover?: { readonly to: string; readonly since: string };
};

export interface BackupsState {
  readonly schedule: BackupsWish["schedule"];
  readonly retention: BackupsWish["retention"];
  /** A URL without credentials, the add-on's own folder included. */
  readonly catalog: string;
  readonly health: BackupHealth;
  /** ISO 8601: the slot of the newest one that is known to have been verified. */
  readonly newestVerified?: string;
  /** ISO 8601. */
  readonly next?: string;
  readonly lastRun?: {
    readonly at: string;
    readonly outcome: "backed-up" | "failed";
    readonly detail: string;
    readonly verification?: VerificationOutcome;
    readonly warnings?: readonly string[];
  };
}

export type Health = "healthy" | "starting" | "syncing" | "degraded" | "down" | "removing";

/** Everything that is shown of one add-on. Outputs, console and command line render this one type; it holds no secret. */
export interface AddonStatus {
  readonly name: string;
  readonly owner: { readonly project: string; readonly stack: string };
  /** ISO 8601. */
  readonly createdAt: string;
  readonly home: HomeIdentity;
  readonly host: string;
  readonly port: number;
  readonly wish: ServerWish;
  readonly health: Health;
  /** What keeps it from being healthy, each a sentence. */
  readonly problems: readonly string[];
  readonly server: ServerState;
  readonly replication: ReplicationState;
  readonly backups: BackupsState;
  /** The last restore that was completed. */
  readonly restored?: Restored;
  /** The one that is under way. */
  readonly restoring?: Restoring;
}

/** Which data home something lives in: a state used elsewhere must say so instead of finding nothing. */
export interface HomeIdentity {
  readonly id: string;
  /** The machine's name, for messages. */
  readonly host: string;
  readonly path: string;
}
