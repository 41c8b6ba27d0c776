import type { FollowerStatus } from "../../core/follower-status";
import { memoryText } from "../../core/memory-size";
import type { ListedFollower, SyncStatus } from "../../core/status";
import { syncWords } from "../../redis/sync-status";

type Lag = Pick<SyncStatus, "lagBytes" | "lagSeconds">;

/** How far behind somebody is: `1.5 MiB, 2 s`; absent: not known. */
export function lagWords({ lagBytes, lagSeconds }: Lag): string | undefined {
  const parts = [
    ...(lagBytes === undefined ? [] : [memoryText(lagBytes)]),
    ...(lagSeconds === undefined ? [] : [`${lagSeconds} s`]),
  ];
  return parts.length === 0 ? undefined : parts.join(", ");
}

/** `lead (127.0.0.1:6379)`, `db.example:6379`, `lead, which is gone`. */
export function leaderWords({ leader }: Pick<FollowerStatus, "leader">): string {
  const { addon, host, port } = leader ?? {};
  const address = host === undefined ? undefined : `${host}:${port}`;
  if (addon === undefined) return address ?? "nobody";
  return address === undefined ? `${addon}, which is gone` : `${addon} (${address})`;
}

const POSITION_WORDS: Readonly<Record<NonNullable<FollowerStatus["position"]>, string>> = {
  promoted: "leader (promoted)",
  "switched-over": "leader (by a switchover)",
};

export function positionWords({ position }: Pick<FollowerStatus, "position">): string {
  return position === undefined ? "leader" : POSITION_WORDS[position];
}

/** Whether it is in sync, in one line: what one who watches is told again only when it changes. */
export function stateWords(status: FollowerStatus): string {
  const switchover =
    status.switchover === undefined ? [] : [`a switchover to ${status.switchover.to} is under way`];
  if (status.role === "leader") {
    const listed = (status.followers ?? []).map((follower) => `${nameOf(follower)} ${follower.state}`);
    const followers = listed.length === 0 ? "nobody follows it" : `followed by ${listed.join(", ")}`;
    return [positionWords(status), followers, ...switchover].join(", ");
  }
  const whom = status.leader?.addon ?? leaderWords(status);
  const link = `link ${status.link ?? "unknown"}`;
  return [`follower of ${whom}: ${syncWords(status as SyncStatus)}`, link, ...switchover].join(", ");
}

/** Labels and values, for a person. */
export function statusFields(status: FollowerStatus): [label: string, value: string][] {
  const { lastSyncedAt, inSyncSince, switchover, halted } = status;
  const under: [string, string][] =
    switchover === undefined ? [] : [["Switchover", `to ${switchover.to}, begun ${switchover.since}`]];
  if (status.role === "leader")
    return [["Name", status.addon], ["Role", positionWords(status)], ["Health", status.health], ...under];
  return [
    ["Name", status.addon],
    ["Role", "follower"],
    ["Leader", leaderWords(status)],
    ["State", syncWords(status as SyncStatus)],
    ["Link", status.link ?? "unknown"],
    ["Lag", lagWords(status) ?? "not known"],
    ["Last in sync", lastSyncedAt ?? "never"],
    ...(inSyncSince === undefined ? [] : [["In sync since", inSyncSince] as [string, string]]),
    ...(halted === undefined ? [] : [["Halted since", halted.since] as [string, string]]),
    ["Health", status.health],
    ...under,
  ];
}

export const FOLLOWERS_HEADER = ["FOLLOWER", "ADDRESS", "STATE", "LAG"] as const;

export function followerRow(follower: ListedFollower): string[] {
  return [
    follower.addon ?? "-",
    `${follower.host}:${follower.port}`,
    follower.state,
    lagWords(follower) ?? "-",
  ];
}

function nameOf({ addon, host, port }: ListedFollower): string {
  return addon ?? `${host}:${port}`;
}
