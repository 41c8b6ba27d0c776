import { isSet, totalKeys, type Info } from "../../../redis/info";
import { sharesHistory } from "../../../redis/preflight/shares-history";

/** Whether a follower that has lost its link may have it again. */
export type LeaderVerdict =
  /** What it lacks can be had without a snapshot, or a snapshot brings most of what it has. */
  | { readonly kind: "follow" }
  /** The leader can't tell yet what it has. */
  | { readonly kind: "wait" }
  /** It has lost data that the follower still has. */
  | { readonly kind: "lost"; readonly leaderKeys: number; readonly followerKeys: number };

/** Of the follower's keys, the part that a leader must have to be copied. */
const ENOUGH = 0.5;

/** By what both say of themselves. A leader whose data are its own history may have deleted whatever it likes. */
export function leaderVerdict(leader: Info, follower: Info): LeaderVerdict {
  if (isSet(leader, "loading") || isSet(leader, "async_loading")) return { kind: "wait" };
  if (sharesHistory(follower, leader)) return { kind: "follow" };
  const [leaderKeys, followerKeys] = [totalKeys(leader), totalKeys(follower)];
  if (leaderKeys >= followerKeys * ENOUGH) return { kind: "follow" };
  // In the midst of a snapshot from its own leader, which counts up.
  if (isSet(leader, "master_sync_in_progress")) return { kind: "wait" };
  return { kind: "lost", leaderKeys, followerKeys };
}
