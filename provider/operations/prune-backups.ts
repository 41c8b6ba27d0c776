import type { PlannedRemovals } from "../backup/planned-removals";
import { asFailure, Failure, type FailureReport } from "../core/errors";
import { DEFAULT_BACKUPS } from "../core/facets";
import type { Retention } from "../core/retention";
import type { Schedule } from "../core/schedule";
import type { Task } from "../core/task";
import { type BackupPlace, type BackupsOf, openPlace, placeOf } from "./backup-place";

/** Which backups are looked at, and by which rules. */
export interface Pruning {
  readonly place: BackupPlace;
  /** ISO 8601: older ones belong to an earlier add-on of the same name. */
  readonly createdAt: string;
  readonly retention: Retention;
  /** Whose time zone days and weeks are counted in; absent: UTC. */
  readonly schedule?: Schedule;
}

/** No catalog of a Redis that isn't ours is from before it was made. */
const ALWAYS = new Date(0).toISOString();

/**
 * What a pruning of an add-on's backups goes by: its policy, or `rules` in its policy's place. In a store nothing but
 * `rules` says how long anything is kept: without, it fails with `rules-needed`.
 */
export async function pruningOf(backups: BackupsOf, rules: Retention | undefined): Promise<Pruning> {
  const place = await placeOf(backups);
  const record = backups.kind === "addon" ? await backups.platform.load(backups.name) : undefined;
  const policy = record && (record.backups?.wish ?? DEFAULT_BACKUPS);
  const retention = rules ?? policy?.retention;
  if (retention === undefined)
    throw new Failure({
      code: "rules-needed",
      operation: "prune the backups of",
      subject: place.name,
      cause: "a store does not say how long its backups are kept",
      hint: "Say it: --keep-last 10, --days 30, or several rules",
    });
  return {
    ...{ place, retention, createdAt: record?.createdAt ?? ALWAYS },
    ...(policy === undefined ? {} : { schedule: policy.schedule }),
  };
}

/** What a pruning would remove and what it would keep, each with why. Touches nothing. */
export async function planPruning(pruning: Pruning, task: Task): Promise<PlannedRemovals> {
  const { place, createdAt, retention, schedule } = pruning;
  const { plannedRemovals } = await import("../backup/planned-removals.js");
  try {
    const store = await openPlace(place);
    const { catalogKey } = place;
    return await plannedRemovals(store, { catalogKey, createdAt }, retention, schedule, task);
  } catch (error) {
    task.signal.throwIfAborted();
    throw asFailure(error, "look at the backups of", place.name);
  }
}

export interface PruningDone {
  /** The slots that went, oldest first: fewer than planned where one was pinned or removed meanwhile. */
  readonly removed: readonly string[];
  /** The first thing that could not be removed; the others were tried none the less. */
  readonly failure: FailureReport | undefined;
}

/** Removes what the rules no longer keep, and what interrupted attempts left. It may be interrupted anywhere. */
export async function pruneBackups(pruning: Pruning, task: Task): Promise<PruningDone> {
  const { place, createdAt, retention, schedule } = pruning;
  const { prune } = await import("../backup/prune.js");
  const { catalogKey } = place;
  return prune(await openPlace(place), { catalogKey, createdAt }, retention, schedule, task);
}
