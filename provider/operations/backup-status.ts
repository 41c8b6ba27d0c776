import type { Catalog } from "../backup/catalog";
import { asFailure, Failure } from "../core/errors";
import type { AddonRecord } from "../core/facets";
import type { BackupsState } from "../core/status";
import type { Task } from "../core/task";
import type { Placement, Platform } from "../platforms/contract";
import { unlessAborted } from "../system/unless-aborted";
import { openPlace, placeOf } from "./backup-place";
import { backupsOf } from "./inspect/backups";
import { noSuchAddon } from "./no-such-addon";

/** How an add-on's backups are, with what its store tells of them. */
export interface BackupStatus extends BackupsState {
  readonly addon: string;
  /** Since the slot of the newest one that was verified; absent: none is known. */
  readonly ageSeconds?: number;
  readonly stored: StoredBackups;
  /**
   * ISO 8601: the slot of one that is known to have been verified, newer than any in the store, and isn't there: somebody
   * removed it, or it lies in an earlier destination. Absent: there is none.
   */
  readonly missing?: string;
  /** Who is told of what fails: the origin of a webhook's URL. Absent: nobody is. */
  readonly alertsTo?: string;
  /** What runs schedules is not running, and why that matters; absent: it runs. */
  readonly unattended?: string;
}

/** All that lies in the store; `unknown`: why nobody can tell at this moment. */
export type StoredBackups =
  | { readonly backups: number; readonly verified: number; readonly sizeBytes: number }
  | { readonly unknown: string };

/** Who asks how things are waits no longer than this for a store. */
const LISTING_PATIENCE_MS = 5_000;

/**
 * How the backups of an add-on are at this moment. Its server is not asked, its store for a few seconds at most: where
 * that answers, it has the last word on what there is. Fails with `no-such-addon`. Changes nothing.
 */
export async function backupStatusOf(platform: Platform, name: string, task: Task): Promise<BackupStatus> {
  const placement = await platform.placement(name);
  if (placement === undefined)
    throw await noSuchAddon(platform, name, "Another data home is named with --home or REDIS_ADDON_HOME");
  return statusFrom(placement, await listStored(platform, name, task), task);
}

/** The same by what a listing found a moment ago, or why there is none. */
export function statusFrom(placement: Placement, listed: Catalog | Failure, task: Task): BackupStatus {
  const state = backupsOf(listed instanceof Failure ? placement : asListed(placement, listed, task), task);
  const { newestVerified } = state;
  const missing = missingOf(placement, newestVerified, task.clock.now());
  const alerted = alertsTo(placement.record);
  return {
    addon: placement.record.name,
    ...state,
    ...(newestVerified === undefined
      ? {}
      : { ageSeconds: Math.max(0, Math.round((task.clock.now() - Date.parse(newestVerified)) / 1000)) }),
    stored: listed instanceof Failure ? { unknown: listed.cause } : countOf(listed),
    ...(missing === undefined ? {} : { missing }),
    ...(alerted === undefined ? {} : { alertsTo: alerted }),
    ...(placement.unattended === undefined ? {} : { unattended: placement.unattended }),
  };
}

/** Who is told of what fails, without the rest of a webhook's URL, which may be secret; absent: nobody is. */
export function alertsTo({ backups }: AddonRecord): string | undefined {
  const webhook = backups?.wish.alerts?.webhook;
  if (webhook === undefined) return undefined;
  return URL.canParse(webhook) ? new URL(webhook).origin : "a webhook whose URL is none";
}

/** All that its store lists, or why nobody can tell within a few seconds. */
export async function listStored(platform: Platform, name: string, task: Task): Promise<Catalog | Failure> {
  const operation = "list the backups of";
  const patience = AbortSignal.timeout(LISTING_PATIENCE_MS);
  const signal = AbortSignal.any([task.signal, patience]);
  try {
    const place = await placeOf({ kind: "addon", platform, name });
    const read = async (): Promise<Catalog> => {
      const { readCatalog } = await import("../backup/catalog.js");
      return readCatalog(await openPlace(place), place.catalogKey, signal);
    };
    // A store need not heed the signal within one request of its.
    return await unlessAborted(read, signal);
  } catch (error) {
    task.signal.throwIfAborted();
    if (!patience.aborted) return asFailure(error, operation, name);
    const cause = `they were not listed within ${LISTING_PATIENCE_MS / 1000} s`;
    return new Failure({ code: "store-slow", operation, subject: name, cause, transient: true });
  }
}

/** What lies in the store counts more than what was noted: it may have been verified since, or have gone. */
function asListed(placement: Placement, { backups }: Catalog, task: Task): Placement {
  if (placement.lastRun === undefined) return placement;
  const { newestVerifiedAt: _, ...lastRun } = placement.lastRun;
  const createdAt = Date.parse(placement.record.createdAt);
  const now = task.clock.now();
  // One of an earlier add-on of this name holds none of its data; a creation in the future is a clock's error.
  const since = createdAt <= now ? createdAt : -Infinity;
  const newest = backups.findLast(
    ({ slot, verification, archives }) =>
      verification === "verified" && archives.length > 0 && slot <= now && slot >= since,
  );
  return {
    ...placement,
    lastRun: newest === undefined ? lastRun : { ...lastRun, newestVerifiedAt: newest.slot },
  };
}

function missingOf(
  { lastRun }: Placement,
  newestVerified: string | undefined,
  now: number,
): string | undefined {
  const noted = lastRun?.newestVerifiedAt;
  // One from the future is not looked for: a clock was set back since.
  if (
    noted === undefined ||
    noted > now ||
    (newestVerified !== undefined && Date.parse(newestVerified) >= noted)
  )
    return undefined;
  return new Date(noted).toISOString();
}

function countOf({ backups }: Catalog): StoredBackups {
  const archives = backups.flatMap((backup) => backup.archives);
  return {
    backups: backups.length,
    verified: backups.filter(({ verification }) => verification === "verified").length,
    sizeBytes: archives.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
  };
}
