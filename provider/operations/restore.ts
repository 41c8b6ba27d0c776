import { followed } from "../core/followed";
import { Failure } from "../core/errors";
import type { AddonRecord } from "../core/facets";
import type { RestoreOrigin } from "../core/restore";
import type { Task } from "../core/task";
import { authority } from "../core/uri";
import type { BackupResult, Claim, Platform } from "../platforms/contract";
import { notDone } from "./applied";
import { keyProblem } from "./restore/key-problem";
import { resolveRestore, type ResolvedRestore, type RestoreSecrets } from "./restore/restore-source";
import { unfitness, type WishedServer } from "./restore/restore-target";

/** Where an add-on's data shall come from. */
export interface RestoreWish {
  readonly from: RestoreOrigin;
  readonly secrets: RestoreSecrets;
  /** Whether keys that it holds may be replaced, after a verified backup of them. */
  readonly replaceData: boolean;
  /** What `from` was found to mean already; absent: it is looked up. */
  readonly resolved?: ResolvedRestore | undefined;
}

/** A backup that was found, and against which nothing stands. */
export interface PreparedRestore {
  readonly wish: RestoreWish;
  readonly resolved: ResolvedRestore;
  /** What the user should know, each a sentence. */
  readonly warnings: readonly string[];
}

export interface RestoredAddon {
  /** With `restored`, as it was recorded. */
  readonly record: AddonRecord;
  /** The backup of what was replaced. */
  readonly safetyBackup?: BackupResult | undefined;
  /** How long users could not write, the backup of what they had included; absent where it was restored already. */
  readonly downtimeMs?: number | undefined;
  /** From the moment that the backup was found until users could write. */
  readonly tookMs: number;
  /** What the user should know, each a sentence. */
  readonly warnings: readonly string[];
}

/**
 * Finds the backup and compares it with the add-on, which need not be there yet. Reads only.
 *
 * Fails where there is no such backup (as `resolveRestore` does), where the add-on follows another (`follows`), or where
 * the backup doesn't fit it (`snapshot-format`, `too-few-databases`, `too-little-memory`, `too-little-disk`), or what opens its archive isn't at hand (`wrong-key`).
 */
export async function prepareRestore(
  platform: Platform,
  {
    name,
    wish,
    server,
  }: { readonly name: string; readonly wish: RestoreWish; readonly server: WishedServer },
  task: Task,
): Promise<PreparedRestore> {
  task.progress({ message: "looking the backup up" });
  const present = await platform.load(name);
  const follows = present && followerProblem(present);
  if (follows !== undefined) throw refused(name, follows);
  const resolved = wish.resolved ?? (await resolveRestore(platform, wish.from, wish.secrets, task));
  const unfit = await unfitness(platform, name, server, resolved);
  const ofKey = await keyProblem(resolved, wish.secrets, task);
  task.signal.throwIfAborted();
  const problems = ofKey === undefined ? unfit : [...unfit, ofKey];
  const refusal = problems.find(({ severity }) => severity === "refuse");
  if (refusal !== undefined) throw refused(name, refusal);
  return { wish, resolved, warnings: [...resolved.passedOver, ...problems.map(({ cause }) => cause)] };
}

/**
 * Makes an add-on's data those of a backup that was found. A program's wish that was restored before is success, and
 * restores nothing again; a person's is done once more. Fails with `holds-data` where it holds what may not be replaced.
 */
export async function restorePrepared(
  platform: Platform,
  {
    name,
    claim,
    prepared,
  }: { readonly name: string; readonly claim: Claim; readonly prepared: PreparedRestore },
  task: Task,
): Promise<RestoredAddon> {
  const startedAt = task.clock.now();
  const { wish, resolved, warnings } = prepared;
  const { from, replaceData } = wish;
  const onData = replaceData ? "replace" : "refuse";
  const result = await platform.restore({ name, claim, from, source: resolved.source, onData }, task);
  if (result.outcome !== "restored") throw notDone(result.outcome, "restore", name);
  return {
    record: result.record,
    safetyBackup: result.safetyBackup,
    downtimeMs: result.downtimeMs,
    tookMs: task.clock.now() - startedAt,
    warnings: [...warnings, ...result.warnings],
  };
}

/** Why a follower takes no backup's data; absent: it is none. */
export function followerProblem(
  record: AddonRecord,
): { readonly code: string; readonly cause: string; readonly hint: string } | undefined {
  const leader = followed(record);
  if (leader === undefined) return undefined;
  const isAddon = leader.kind === "addon";
  const whom = isAddon ? leader.addon : authority(leader.host, leader.port);
  const promotion = `promote it first: redis-addon follower promote ${record.name}`;
  return {
    code: "follows",
    cause: `it follows ${whom}, whose data it has`,
    hint: isAddon
      ? `Restore ${whom}, whose data it then takes; or ${promotion}`
      : `To restore it, ${promotion}`,
  };
}

function refused(
  name: string,
  { code, cause, hint }: { readonly code: string; readonly cause: string; readonly hint: string },
): Failure {
  return new Failure({ code, operation: "restore", subject: name, cause, hint });
}
