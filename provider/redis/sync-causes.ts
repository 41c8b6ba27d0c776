import type { Failure } from "../core/errors";
import type { SyncStatus } from "../core/status";
import { authority } from "../core/uri";
import { canFollow, versionFromInfo } from "../core/version";
import { isSet, type Info } from "./info";
import type { BrokenTransfers } from "./link-history";

/** Why a follower is not in sync. Its words are a Failure's. */
export interface SyncProblem {
  readonly code: string;
  readonly cause: string;
  readonly hint: string;
  /** Somebody has to change something: once it has lasted for so long, waiting helps nothing. Absent: it may pass. */
  readonly hopelessAfterMs?: number;
}

export interface SyncLook {
  readonly status: SyncStatus;
  readonly follower: Info;
  readonly leader: LeaderLook;
  readonly broken: BrokenTransfers | undefined;
}

export interface LeaderLook {
  /** Absent where it doesn't show its INFO. */
  readonly info?: Info | undefined;
  /** Why it can't be reached, or not as its follower would. */
  readonly failure?: Failure | undefined;
}

/** What no waiting cures. A leader of ours refuses to be copied until it was looked at what it has. */
const HOPELESS_AFTER_MS: Readonly<Record<string, number>> = {
  "wrong-password": 1_000,
  "password-needed": 1_000,
  "not-redis": 1_000,
  "protected-mode": 1_000,
  "leader-refuses-psync": 10_000,
};
/** A leader that turns its follower away again and again has done so for this often before somebody is told. */
const ENOUGH_TRANSFERS = 3;

/** No limit that anybody sets is passed by so little, and a leader that takes no writes still pings. */
const IDLE_BYTES = 64 * 1024;

/** What keeps a follower from being in sync, and on disk; absent: nothing that can be seen. */
export function syncProblem({ status, follower, leader, broken }: SyncLook): SyncProblem | undefined {
  if (status.state === "loading") return undefined;
  if (status.state === "synced") return status.durable ? undefined : unwritable(follower);
  if (status.state === "syncing" && status.catchingUp) return undefined;
  const isLinked = status.state === "syncing";
  const { info, failure } = leader;
  if (!isLinked && failure !== undefined) {
    const { code, cause, hint } = failure;
    // Where it was connected to while it was still reading its own data.
    const shown = code === "loading" ? { code: "leader-loading", hint: LOADING_HINT } : { code, hint };
    const hopelessAfterMs = HOPELESS_AFTER_MS[code];
    const lasting = hopelessAfterMs === undefined ? {} : { hopelessAfterMs };
    return { ...shown, cause: `${failure.subject}: ${cause}`, ...lasting };
  }
  const ofLeader = isLinked || info === undefined ? undefined : leaderProblem(info);
  return ofLeader ?? (broken && brokenTransfers(broken));
}

function unwritable(follower: Info): SyncProblem | undefined {
  if (follower.get("aof_last_bgrewrite_status") === "ok") return undefined;
  return {
    code: "not-durable",
    cause: "what it received can't be written to its disk",
    hint: "Look for a full disk in the log of the follower's server; a restart before that would bring older data back",
  };
}

const LOADING_HINT = "It can be followed once it has loaded its own data: run `pulumi up` again then";

function leaderProblem(info: Info): SyncProblem | undefined {
  if (isSet(info, "loading"))
    return {
      code: "leader-loading",
      cause: "the leader is still loading its own data",
      hint: LOADING_HINT,
    };
  if (info.get("role") === "slave" && info.get("master_link_status") !== "up") {
    const above = authority(info.get("master_host") ?? "", Number(info.get("master_port") ?? 0));
    return {
      code: "leader-link-down",
      cause: `the leader itself follows ${above}, has no link to it, and gives no snapshot away until it has`,
      hint: "Repair the leader's own link, or follow its leader",
    };
  }
  if (info.get("rdb_last_bgsave_status") !== "err") return undefined;
  return {
    code: "leader-cannot-save",
    cause: "the leader can't make a snapshot: its last attempt failed (rdb_last_bgsave_status:err)",
    hint: "Look at the leader's log for a full disk, a folder that it may not write to, or too little memory to fork",
  };
}

function brokenTransfers(broken: BrokenTransfers): SyncProblem {
  const { times, turnedAway, writtenBytes } = broken;
  const often = times === 1 ? "once" : `${times} times`;
  const { afterBytes } = broken;
  const after = afterBytes === 0 ? "" : ` after ${(afterBytes / 1024 ** 2).toFixed(1)} MiB at most`;
  const limit = "client-output-buffer-limit for replicas";
  const raise = `Raise it on the leader (CONFIG SET client-output-buffer-limit "replica 1gb 512mb 120"), or follow it when it writes less`;
  if (turnedAway !== undefined && turnedAway > 0)
    return {
      code: "output-buffer-limit",
      cause: `the leader broke the transfer of its snapshot off ${often}${after}: what it wrote meanwhile passed its ${limit}`,
      hint: raise,
      ...(times >= ENOUGH_TRANSFERS && turnedAway >= ENOUGH_TRANSFERS ? { hopelessAfterMs: 0 } : {}),
    };
  if (turnedAway === undefined && (writtenBytes === undefined || writtenBytes > IDLE_BYTES))
    return {
      code: "transfer-broken",
      cause: `the leader broke the transfer of its snapshot off ${often}${after}; most often its ${limit} is too small for what it writes meanwhile`,
      hint: `${raise}; where it is large enough, look at the network between the two`,
    };
  return {
    code: "transfer-broken",
    cause: `the transfer of the leader's snapshot broke off ${often}${after}, and not by the leader's ${limit}`,
    hint: "Look at the network between the two for what ends long connections, and at the leader's log",
  };
}

/** What is known of a snapshot that arrived and can't be loaded; `why`: as the follower's platform found out. */
export function unloadable(follower: Info, leader: Info | undefined, why?: string): SyncProblem {
  const [from, to] = [leader && versionFromInfo(leader), versionFromInfo(follower)];
  if (from === undefined || to === undefined || canFollow(from, to))
    return {
      code: "snapshot-not-loaded",
      cause: why ?? "the leader's snapshot arrives and can't be loaded here",
      hint: "See the log of the follower's server; the next `pulumi up` tries again",
    };
  const versions = `a server of version ${to.spelling} can't load the snapshot of a leader of version ${from.spelling}`;
  return {
    code: "snapshot-format",
    cause: why ?? versions,
    hint: `Give the add-on a version that can, such as ${from.spelling}`,
  };
}
