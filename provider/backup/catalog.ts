import { Failure } from "../core/errors";
import { type Manifest, manifestKey, ManifestSchema, parseObjectName } from "../core/manifest";
import { parseSlot } from "../core/slot";
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
  /** Absent: nobody has looked. */
  readonly verification: VerificationOutcome | undefined;
  /** Archives of this slot; more than one only until the loser of a race has removed its own. None: it is no good. */
  readonly archives: readonly StoredObject[];
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
  manifest: boolean;
  pinned: boolean;
  outcomes: VerificationOutcome[];
  archives: StoredObject[];
  all: StoredObject[];
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

function sorted(catalogKey: string, objects: readonly StoredObject[]): Catalog {
  const slots = new Map<string, Slot>();
  const folder = `${catalogKey}/`;
  for (const object of objects) {
    const parsed = parseObjectName(object.key.slice(folder.length));
    if (parsed === undefined) continue;
    const slot = slots.get(parsed.slot) ?? emptySlot();
    slots.set(parsed.slot, slot);
    slot.all.push(object);
    switch (parsed.kind) {
      case "archive":
        slot.archives.push(object);
        break;
      case "verification":
        slot.outcomes.push(parsed.outcome);
        break;
      case "manifest":
        slot.manifest = true;
        break;
      case "pin":
        slot.pinned = true;
        break;
    }
  }
  const backups: ListedBackup[] = [];
  const orphans: StoredObject[] = [];
  for (const [name, { manifest, pinned, outcomes, archives, all }] of slots) {
    const slot = parseSlot(name);
    if (slot !== undefined && manifest)
      // Only for the moment between two writes are there several; then the worst counts.
      backups.push({ slot, name, pinned, verification: worstOf(outcomes), archives });
    else orphans.push(...all);
  }
  const reachedAt = objects.reduce((latest, { modifiedAt }) => Math.max(latest, modifiedAt), -Infinity);
  return { backups: backups.sort((a, b) => a.slot - b.slot), orphans, reachedAt };
}

function emptySlot(): Slot {
  return { manifest: false, pinned: false, outcomes: [], archives: [], all: [] };
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
