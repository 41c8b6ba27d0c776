import type { AddonRecord, ReplicationWish } from "../core/facets";
import { followed } from "../core/followed";
import type { Task } from "../core/task";
import type { BackupResult, Claim, Platform, SwitchedOver } from "../platforms/contract";
import { follow } from "./follow";
import { promote } from "./promote";
import { switchOver } from "./switch-over";

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

/** Brings an add-on's replication to what is wished of it: following and in sync, promoted, or switched over. */
export async function replicate(
  platform: Platform,
  request: ReplicateRequest,
  task: Task,
): Promise<Replicated> {
  const { name, claim, wish, given, deadlineMs } = request;
  if (wish.position === "promoted") return promote(platform, { name, claim, given, wish, deadlineMs }, task);
  const recorded = await platform.load(name);
  const isSwitched =
    recorded?.replication?.wish.position === "switched-over" && followed(recorded) === undefined;
  if (wish.position === "switched-over") {
    const followedFirst = isSwitched
      ? undefined
      : await follow(platform, { ...request, wish: { kind: "addon", addon: wish.addon } }, task);
    const switched = await switchOver(platform, { name, claim, given, to: "switched-over" }, task);
    return { ...followedFirst, ...switched };
  }
  // Back to what was declared; with another leader than before this is the first of two steps.
  if (isSwitched) await switchOver(platform, { name, claim, given, to: "declared" }, task);
  return follow(platform, request, task);
}
