import { buffer } from "node:stream/consumers";
import { Failure } from "../core/errors";
import { type Manifest, manifestKey, ManifestSchema, parseObjectName } from "../core/manifest";
import { parseSlot } from "../core/slot";
import { VERIFICATION_OUTCOMES, type VerificationOutcome } from "../core/verification";
import type { Store, StoredObject } from "../stores/contract";

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
  /** Archives whose slot has no manifest: being taken at this moment, or left by an attempt that was interrupted. */
  readonly orphans: readonly StoredObject[];
}

interface Slot {
  manifest: boolean;
  pinned: boolean;
  outcomes: VerificationOutcome[];
  archives: StoredObject[];
}

/** All backups of one add-on. Files of strangers in the same folder are passed over. */
export async function readCatalog(store: Store, catalogKey: string, signal: AbortSignal): Promise<Catalog> {
  const slots = new Map<string, Slot>();
  const folder = `${catalogKey}/`;
  for (const object of await store.list(folder, signal)) {
    const parsed = parseObjectName(object.key.slice(folder.length));
    if (parsed === undefined) continue;
    const slot = slots.get(parsed.slot) ?? { manifest: false, pinned: false, outcomes: [], archives: [] };
    slots.set(parsed.slot, slot);
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
  for (const [name, { manifest, pinned, outcomes, archives }] of slots) {
    const slot = parseSlot(name);
    if (slot !== undefined && manifest)
      // Only for the moment between two writes are there several; then the worst counts.
      backups.push({ slot, name, pinned, verification: worstOf(outcomes), archives });
    else orphans.push(...archives);
  }
  return { backups: backups.sort((a, b) => a.slot - b.slot), orphans };
}

function worstOf(outcomes: readonly VerificationOutcome[]): VerificationOutcome | undefined {
  return VERIFICATION_OUTCOMES.findLast((outcome) => outcomes.includes(outcome));
}

/** The manifest of one slot; `not-found` where there is none, `unreadable-manifest` where it is none of format 1. */
export async function readManifest(
  store: Store,
  catalogKey: string,
  slot: string,
  signal: AbortSignal,
): Promise<Manifest> {
  const key = manifestKey(catalogKey, slot);
  const bytes = await buffer(await store.get(key, signal));
  const parsed = ManifestSchema.safeParse(parseJson(bytes.toString("utf8")));
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new Failure({
    code: "unreadable-manifest",
    operation: "read",
    subject: `${store.url}/${key}`,
    cause: `it is no manifest of format 1 (${issue?.path.join(".") ?? ""}: ${issue?.message ?? ""})`,
    hint: "A newer version of this package may have written it",
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
