import type { AddonRecord, ReplicationWish } from "../core/facets";
import { claimsRoleOf, isExchanged } from "../core/hand-over";
import type { Task } from "../core/task";
import type { BackupResult, Claim, Platform, SwitchedOver } from "../platforms/contract";
import { follow } from "./follow";
import { promote } from "./promote";
import { switchOver, SWITCHOVER_TIMEOUT_MS } from "./switch-over";

export interface ReplicateRequest {
  readonly name: string;
  readonly claim: Claim;
  readonly wish: ReplicationWish;
  /** Which inputs the program set. */
  readonly given: readonly string[];
  /** Whether keys that the add-on has of its own may be replaced by the leader's, after a verified backup. */
  readonly replaceData: boolean;
  /** How long to wait for the sync, or for a promotion to be on disk. */
  readonly deadlineMs: number;
}

/** What became of an add-on's replication, and what a person should know of it. */
export interface Replicated {
  readonly record: AddonRecord;
  /** Of the keys that were replaced. */
  readonly safetyBackup?: BackupResult | undefined;
  /** Where it was promoted: the last byte of its leader's history that it holds. */
  readonly finalOffset?: number | undefined;
  /** Where roles were exchanged: how it went for those who wrote meanwhile. */
  readonly switchover?: Extract<SwitchedOver, { outcome: "switched-over" }>["measured"];
}

/**
 * Brings an add-on's replication to what is wished of it: following and in sync, promoted, or switched over. Where roles
 * are exchanged with one leader and another one is wished, they are exchanged back first: two steps.
 */
export async function replicate(
  platform: Platform,
  request: ReplicateRequest,
  task: Task,
): Promise<Replicated> {
  const { name, claim, wish, given, deadlineMs } = request;
  if (wish.position === "promoted") return promote(platform, { name, claim, given, wish, deadlineMs }, task);
  const timeoutMs = Math.min(SWITCHOVER_TIMEOUT_MS, deadlineMs);
  const exchange = { name, claim, given, timeoutMs } as const;
  const oldLeader = await exchangedWith(platform, name);
  const isWishedPair = wish.position === "switched-over" && wish.addon === oldLeader;
  const back =
    oldLeader === undefined || isWishedPair
      ? undefined
      : await switchOver(platform, { ...exchange, to: "declared" }, task);
  if (wish.position !== "switched-over") {
    const following = await follow(platform, request, task);
    return { ...following, ...(back?.switchover === undefined ? {} : { switchover: back.switchover }) };
  }
  const first = isWishedPair
    ? undefined
    : await follow(platform, { ...request, wish: { kind: "addon", addon: wish.addon } }, task);
  return { ...first, ...(await switchOver(platform, { ...exchange, to: "switched-over" }, task)) };
}

/** The old leader that an add-on has exchanged its role with; absent: it has with none, or that one is gone. */
async function exchangedWith(platform: Platform, name: string): Promise<string | undefined> {
  const record = await platform.load(name);
  const wish = record?.replication?.wish;
  if (record === undefined || wish?.kind !== "addon") return undefined;
  const leader = await platform.load(wish.addon);
  if (leader === undefined) return undefined;
  // One that was cut off counts as well: the next call settles it first, whichever way it went.
  const isCutOff = leader.handingOver?.to === name || record.handingOver?.to === leader.name;
  const isPair = isExchanged(leader, record) && claimsRoleOf(record, leader.name);
  return isPair || isCutOff ? leader.name : undefined;
}
