import { Failure } from "../core/errors";
import { type Manifest, manifestKey, ManifestSchema, parseEnding, parseObjectName } from "../core/manifest";
import { parseSlot, SLOT_LENGTH } from "../core/slot";
import type { Task } from "../core/task";
import { VERIFICATION_OUTCOMES, type VerificationOutcome } from "../core/verification";
import type { Store, StoredObject } from "../stores/contract";
import { parseJson, readSmall } from "./read-beside";

/** A backup, as the listing alone tells it. */
export interface ListedBackup {
  /** Milliseconds since the Unix epoch. */
  readonly slot: number;
  /** As names spell it. */
  readonly name: string;
  readonly pinned: boolean;
  /** A restore reads it, as far as the listing alone tells: `isHeld` tells by the store's clock. */
  readonly held: boolean;
  /** Absent: nobody has looked. */
  readonly verification: VerificationOutcome | undefined;
  /** Archives of this slot; more than one only until the loser of a race has removed its own. None: it is no good. */
  readonly archives: readonly StoredObject[];
  /** What restores that read it have put, those that died included. */
  readonly holds: readonly StoredObject[];
  /** All that belongs to it, manifest, archives and holds included. */
  readonly objects: readonly StoredObject[];
}

export interface Catalog {
  /** Oldest first. A backup exists only once its manifest does. */
  readonly backups: readonly ListedBackup[];
  /**
   * What belongs to a slot without a manifest: a backup that is being taken or removed at this moment, or was when it
   * was interrupted.
   */
  readonly orphans: readonly StoredObject[];
  /** The latest instant that the store's own clock is known to have reached; -Infinity for an empty catalog. */
  readonly reachedAt: number;
}

interface Slot {
  readonly name: string;
  /** Milliseconds since the Unix epoch. */
  readonly slot: number;
  manifest: boolean;
  pinned: boolean;
  /** Only for the moment between two writes are there several; then the worst counts. */
  outcomes: readonly VerificationOutcome[];
  readonly archives: StoredObject[];
  holds: readonly StoredObject[];
  readonly all: StoredObject[];
}

/**
 * Nothing that is alive leaves an object as it is for so long: an archive is stored whole at once and its manifest
 * follows, a restore renews its hold each hour.
 */
const DEAD_AFTER_MS = 24 * 60 * 60_000;

/** Whether whoever wrote an object that waits for something is surely gone; `storeTime` is the store's own clock. */
export function isDead({ modifiedAt }: StoredObject, storeTime: number): boolean {
  return storeTime - modifiedAt > DEAD_AFTER_MS;
}

/**
 * What the store's own clock shows, for what is dead by it. Not later than ours: where the two differ the store's may be
 * what is wrong, and nothing may go because of that. Where it can't be told, the latest that is known of it.
 */
export async function storeTimeOf(
  store: Store,
  catalogKey: string,
  { reachedAt }: Catalog,
  { signal, clock }: Pick<Task, "signal" | "clock">,
): Promise<number> {
  const time = await store.time(catalogKey, signal);
  return Math.min(clock.now(), time === -Infinity ? reachedAt : time);
}

/** Whether a restore reads a backup; one whose hold was not renewed for a day has died. */
export function isHeld({ holds }: Pick<ListedBackup, "holds">, storeTime: number): boolean {
  return holds.some((hold) => !isDead(hold, storeTime));
}

/** All backups of one add-on. Files of strangers in the same folder are passed over. */
export async function readCatalog(store: Store, catalogKey: string, signal: AbortSignal): Promise<Catalog> {
  return sorted(catalogKey, await store.list(`${catalogKey}/`, signal));
}

/** One backup as it is listed at this moment; undefined where there is none. */
export async function readListed(
  store: Store,
  catalogKey: string,
  slot: string,
  signal: AbortSignal,
): Promise<ListedBackup | undefined> {
  return sorted(catalogKey, await store.list(`${catalogKey}/${slot}`, signal)).backups[0];
}

/** The keys of all catalogs of a store that hold a backup. */
export async function listCatalogs(store: Store, signal: AbortSignal): Promise<string[]> {
  const keys = new Set<string>();
  for (const { key } of await store.list("", signal)) {
    const [catalogKey = "", name = ""] = key.split("/");
    if (parseObjectName(name)?.kind === "manifest") keys.add(catalogKey);
  }
  return [...keys].sort();
}

/** Hundred thousands of slots share it. */
const NONE: readonly never[] = [];

/** `objects`: in the order of their keys, as a store lists them. Those of one slot begin alike, and follow each other. */
function sorted(catalogKey: string, objects: readonly StoredObject[]): Catalog {
  const slots: Slot[] = [];
  let current: Slot | undefined;
  let reachedAt = -Infinity;
  const folder = `${catalogKey}/`;
  for (const object of objects) {
    reachedAt = Math.max(reachedAt, object.modifiedAt);
    const name = object.key.slice(folder.length, folder.length + SLOT_LENGTH);
    if (name !== current?.name) {
      const slot = parseSlot(name);
      if (slot === undefined) continue;
      current = {
        name,
        slot,
        manifest: false,
        pinned: false,
        outcomes: NONE,
        archives: [],
        holds: NONE,
        all: [],
      };
      slots.push(current);
    }
    add(current, object, object.key.slice(folder.length + SLOT_LENGTH));
  }
  const backups: ListedBackup[] = [];
  const orphans: StoredObject[] = [];
  for (const { name, slot, manifest, pinned, outcomes, archives, holds, all } of slots) {
    if (manifest) {
      const held = isHeld({ holds }, reachedAt);
      const verification = worstOf(outcomes);
      backups.push({ slot, name, pinned, held, verification, archives, holds, objects: all });
    } else orphans.push(...all);
  }
  return { backups: backups.sort((a, b) => a.slot - b.slot), orphans, reachedAt };
}

function add(slot: Slot, object: StoredObject, ending: string): void {
  const parsed = parseEnding(slot.name, ending);
  if (parsed === undefined) return;
  slot.all.push(object);
  switch (parsed.kind) {
    case "archive":
      slot.archives.push(object);
      break;
    case "verification":
      slot.outcomes = [...slot.outcomes, parsed.outcome];
      break;
    case "manifest":
      slot.manifest = true;
      break;
    case "pin":
      slot.pinned = true;
      break;
    case "hold":
      slot.holds = [...slot.holds, object];
      break;
  }
}

function worstOf(outcomes: readonly VerificationOutcome[]): VerificationOutcome | undefined {
  return VERIFICATION_OUTCOMES.findLast((outcome) => outcomes.includes(outcome));
}

/**
 * The manifest of one slot; `not-found` where there is none, `unreadable-manifest` where it is none of format 1,
 * `manifest-damaged` where it can't be what was written there: no JSON, of another backup, or above 1 MiB.
 */
export async function readManifest(
  store: Store,
  catalogKey: string,
  slot: string,
  signal: AbortSignal,
): Promise<Manifest> {
  const key = manifestKey(catalogKey, slot);
  const failure = (code: string, cause: string, hint: string) =>
    new Failure({ code, operation: "read", subject: `${store.url}/${key}`, cause, hint });
  const damaged = (cause: string) =>
    failure(
      "manifest-damaged",
      cause,
      "Nothing else says what its archive should be. Use another backup: redis-addon backup list shows them",
    );
  const text = await readSmall(store, key, signal);
  if (text === undefined) throw damaged("it is larger than 1 MiB");
  const json = parseJson(text);
  if (json === undefined) throw damaged("it is no JSON");
  const parsed = ManifestSchema.safeParse(json);
  if (parsed.success) {
    const why = strangeTo(slot, parsed.data);
    if (why !== undefined) throw damaged(why);
    return parsed.data;
  }
  const [issue] = parsed.error.issues;
  throw failure(
    "unreadable-manifest",
    `it is no manifest of format 1 (${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""})`,
    "A newer version of this package may have written it",
  );
}

/** Copied or changed by hand it would vouch for other data than its slot's; absent: it belongs there. */
function strangeTo(slot: string, manifest: Manifest): string | undefined {
  if (manifest.slot !== slot) return `it is that of backup ${manifest.slot}`;
  const archive = parseObjectName(manifest.archive.name);
  if (archive?.kind === "archive" && archive.slot === slot) return undefined;
  return "it names an archive of another backup";
}
