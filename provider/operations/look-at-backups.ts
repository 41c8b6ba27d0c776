import type { BackupFate } from "../backup/backup-fates";
import type { Catalog, ListedBackup } from "../backup/catalog";
import { asFailure, Failure } from "../core/errors";
import { DEFAULT_BACKUPS } from "../core/facets";
import type { Manifest } from "../core/manifest";
import type { Task } from "../core/task";
import type { Placement, Platform } from "../platforms/contract";
import type { Store } from "../stores/contract";
import { unlessAborted } from "../system/unless-aborted";
import { openPlace, placeOf } from "./backup-place";
import { type BackupStatus, listStored, statusFrom } from "./backup-status";
import { type CatalogEntry, entryOf } from "./list-backups";
import { noSuchAddon } from "./no-such-addon";
import { severalAtOnce } from "./several-at-once";

/** So many stand on one page: each is a manifest to read. */
const BACKUPS_PER_PAGE = 100;
/** A person waits for the rest no longer than this, after a store was listed. */
const READING_PATIENCE_MS = 5_000;

/** One backup, as far as it could be looked at in a moment. */
export interface SeenBackup extends Omit<CatalogEntry, "archive" | "reason" | "tookSeconds"> {
  /** Absent where its manifest could not be read. */
  readonly reason?: Manifest["reason"];
  /** From its snapshot until it lay in the store; absent as above. */
  readonly tookSeconds?: number;
  /** `safety`: of data that were about to be replaced. */
  readonly purpose?: string;
  /** Why it is pinned, in its pinner's words. */
  readonly note?: string;
  /** What its policy makes of it; absent where that could not be told in time. */
  readonly fate?: BackupFate;
  /** Why its manifest could not be read: what is told then is what the listing tells. */
  readonly unreadable?: Failure;
}

/** Of every backup, what a listing tells. */
export type ListedDay = Pick<ListedBackup, "slot" | "verification"> & { readonly hasArchive: boolean };

export interface BackupsLook {
  readonly status: BackupStatus;
  /** ISO 8601: older ones are of an earlier add-on of this name. */
  readonly createdAt: string;
  /** Why no backup goes for now, whatever the policy says; absent: it rules. */
  readonly distrusted?: string;
  /** What lies in the store, or why that can't be seen. */
  readonly stored: Failure | StoredLook;
}

export interface StoredLook {
  /** Newest first, at most `BACKUPS_PER_PAGE`. */
  readonly page: readonly SeenBackup[];
  /** Where the next page begins, as `before`; absent: this is the last one. */
  readonly older?: string;
  /** How many are newer than this page. */
  readonly newer: number;
  /** All of them, oldest first. */
  readonly days: readonly ListedDay[];
  /** Why reasons and times of their end could not be told. */
  readonly untold?: Failure;
}

/**
 * An add-on's backups for a person who looks at a page of them: newest first, those before the slot `before` if that is
 * given. Of ten thousand the store is listed, and no more manifests are read than stand on the page. Takes ten seconds at
 * most: what a store doesn't tell by then is missing. Fails with `no-such-addon`. Changes nothing.
 */
export async function lookAtBackups(
  platform: Platform,
  name: string,
  before: string | undefined,
  task: Task,
): Promise<BackupsLook> {
  const placement = await platform.placement(name);
  if (placement === undefined)
    throw await noSuchAddon(platform, name, "Another data home is named with --home or REDIS_ADDON_HOME");
  const listed = await listStored(platform, name, task);
  const stored = listed instanceof Failure ? listed : await pageOf(platform, placement, listed, before, task);
  return {
    status: statusFrom(placement, listed, task),
    createdAt: placement.record.createdAt,
    ...(placement.distrusted === undefined ? {} : { distrusted: placement.distrusted }),
    stored,
  };
}

async function pageOf(
  platform: Platform,
  placement: Placement,
  catalog: Catalog,
  before: string | undefined,
  task: Task,
): Promise<StoredLook> {
  const { backups } = catalog;
  const end = before === undefined ? backups.length : lengthBefore(backups, before);
  const begin = Math.max(0, end - BACKUPS_PER_PAGE);
  const chosen = backups.slice(begin, end).toReversed();
  const store = await openPlace(await placeOf({ kind: "addon", platform, name: placement.record.name }));
  const patience = AbortSignal.timeout(READING_PATIENCE_MS);
  const reading = { ...task, signal: AbortSignal.any([task.signal, patience]) };
  const [fates, page] = await Promise.all([
    fatesIn(store, placement, catalog, chosen, reading).catch((error: unknown) => {
      task.signal.throwIfAborted();
      return tooSlow(patience, placement) ?? asFailure(error, "judge the backups of", placement.record.name);
    }),
    severalAtOnce(chosen, async (backup) => {
      const seen = await unlessAborted(
        () => seenOf(store, placement, backup, reading.signal),
        reading.signal,
      ).catch((error: unknown): SeenBackup => {
        task.signal.throwIfAborted();
        const why = tooSlow(patience, placement) ?? asFailure(error, "read the backup", backup.name);
        return { ...listedOnly(backup), unreadable: why };
      });
      return seen;
    }),
  ]);
  const fateOf = (slot: string): Pick<SeenBackup, "fate"> => {
    const fate = fates instanceof Failure ? undefined : fates.get(slot);
    return fate === undefined ? {} : { fate };
  };
  const older = chosen.at(-1)?.name;
  return {
    page: page.map((seen) => ({ ...seen, ...fateOf(seen.slot) })),
    ...(begin > 0 && older !== undefined ? { older } : {}),
    newer: backups.length - end,
    days: backups.map(({ slot, verification, archives }) => ({
      slot,
      verification,
      hasArchive: archives.length > 0,
    })),
    ...(fates instanceof Failure ? { untold: fates } : {}),
  };
}

async function fatesIn(
  store: Store,
  { record }: Placement,
  catalog: Catalog,
  asked: readonly ListedBackup[],
  task: Task,
): Promise<ReadonlyMap<string, BackupFate>> {
  const { backupFates } = await import("../backup/backup-fates.js");
  const policy = record.backups?.wish ?? DEFAULT_BACKUPS;
  return unlessAborted(() => backupFates(store, record, catalog, asked, policy, task), task.signal);
}

async function seenOf(
  store: Store,
  { record: { catalogKey } }: Placement,
  backup: ListedBackup,
  signal: AbortSignal,
): Promise<SeenBackup> {
  const { readManifest } = await import("../backup/catalog.js");
  const { readPin } = await import("../backup/pin.js");
  const [manifest, pin] = await Promise.all([
    readManifest(store, catalogKey, backup.name, signal),
    backup.pinned ? readPin(store, catalogKey, backup.name, signal) : undefined,
  ]);
  const { archive: _, ...entry } = entryOf(backup, manifest, `${store.url}/${catalogKey}`);
  return {
    ...entry,
    ...(manifest.purpose === undefined ? {} : { purpose: manifest.purpose }),
    ...(pin?.note === undefined ? {} : { note: pin.note }),
  };
}

function listedOnly({ name, slot, archives, pinned, held, verification }: ListedBackup): SeenBackup {
  return {
    slot: name,
    takenAt: new Date(slot).toISOString(),
    archiveExists: archives.length > 0,
    sizeBytes: archives.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0),
    encrypted: archives.some(({ key }) => key.endsWith(".age")),
    pinned,
    ...(held ? { held: true } : {}),
    ...(verification === undefined ? {} : { verification }),
  };
}

/** How many of them, oldest first, have a smaller name. */
function lengthBefore(backups: readonly ListedBackup[], before: string): number {
  let [from, to] = [0, backups.length];
  while (from < to) {
    const middle = Math.floor((from + to) / 2);
    if ((backups[middle]?.name ?? "") < before) from = middle + 1;
    else to = middle;
  }
  return from;
}

function tooSlow(patience: AbortSignal, { record: { name } }: Placement): Failure | undefined {
  if (!patience.aborted) return undefined;
  return new Failure({
    code: "store-slow",
    operation: "read the backups of",
    subject: name,
    cause: `their store did not tell within ${READING_PATIENCE_MS / 1000} s`,
    transient: true,
  });
}
