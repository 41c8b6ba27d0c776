import { Failure } from "../core/errors";
import { type Manifest, manifestKey, ManifestSchema, parseObjectName } from "../core/manifest";
import type { Task } from "../core/task";
import type { VerificationOutcome } from "../core/verification";
import type { Store, StoredObject } from "../stores/contract";
import { collecting } from "./collect-slots";
import { parseJson, readSmall } from "./read-beside";

/** A backup, as the listing alone tells it. What is asked of it is put together each time. */
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
  /** False: it is no good. */
  readonly hasArchive: boolean;
  /** Archives of this slot; more than one only until the loser of a race has removed its own. */
  readonly archives: readonly StoredObject[];
  /** What restores that read it have put, those that died included. */
  readonly holds: readonly StoredObject[];
  /** How the names of the rest that belongs to it end, after its slot: its manifest, its pin, what was found in it. */
  readonly endings: readonly string[];
}

export interface Catalog {
  /** Oldest first. A backup exists only once its manifest does. */
  readonly backups: readonly ListedBackup[];
  /**
   * What belongs to a slot without a manifest: a backup that is being taken or removed at this moment, or was when it
   * was interrupted.
   */
  readonly orphans: readonly Pick<StoredObject, "key" | "modifiedAt">[];
  /** The latest instant that the store's own clock is known to have reached; -Infinity for an empty catalog. */
  readonly reachedAt: number;
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

/** All backups of one add-on. Files of strangers in the same folder are passed over. */
export async function readCatalog(store: Store, catalogKey: string, signal: AbortSignal): Promise<Catalog> {
  const slots = collecting(catalogKey);
  for await (const part of store.parts(`${catalogKey}/`, signal))
    for (const object of part) slots.add(object);
  return slots.catalog();
}

/** One backup as it is listed at this moment; undefined where there is none. */
export async function readListed(
  store: Store,
  catalogKey: string,
  slot: string,
  signal: AbortSignal,
): Promise<ListedBackup | undefined> {
  const slots = collecting(catalogKey);
  for (const object of await store.list(`${catalogKey}/${slot}`, signal)) slots.add(object);
  return slots.catalog().backups[0];
}

/** The keys of all catalogs of a store that hold a backup. */
export async function listCatalogs(store: Store, signal: AbortSignal): Promise<string[]> {
  const keys = new Set<string>();
  for await (const part of store.parts("", signal))
    for (const { key } of part) {
      const [catalogKey = "", name = ""] = key.split("/");
      if (parseObjectName(name)?.kind === "manifest") keys.add(catalogKey);
    }
  return [...keys].sort();
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
