import { parseEnding } from "../core/manifest";
import { SLOT_LENGTH } from "../core/slot";
import type { Store } from "../stores/contract";
import { type ListedBackup, readListed } from "./catalog";
import { isHeld } from "./dead";

/** After every ending that a name can have. */
const LAST = "~";

/**
 * Those of some backups that are there at this moment, and neither pinned nor held. `backups`: oldest first, as they were
 * listed a while ago; of all that lies between the oldest and the newest of them only the names are looked at.
 */
export async function stillFree(
  store: Store,
  catalogKey: string,
  backups: readonly ListedBackup[],
  storeTime: number,
  signal: AbortSignal,
): Promise<ListedBackup[]> {
  const [first, last] = [backups[0], backups.at(-1)];
  if (first === undefined || last === undefined) return [];
  const folder = `${catalogKey}/`;
  const there = new Set<string>();
  const pinned = new Set<string>();
  const heldOnce = new Set<string>();
  const among = new Map(backups.map((backup) => [backup.name, backup] as const));
  const end = folder.length + SLOT_LENGTH;
  for (const key of await store.keysBetween(folder + first.name, folder + last.name + LAST, signal)) {
    const name = key.slice(folder.length, end);
    if (!among.has(name)) continue;
    const kind = parseEnding(name, key.slice(end))?.kind;
    if (kind === "manifest") there.add(name);
    if (kind === "pin") pinned.add(name);
    if (kind === "hold") heldOnce.add(name);
  }
  const free: ListedBackup[] = [];
  for (const [name, backup] of among) {
    if (!there.has(name) || pinned.has(name)) continue;
    // A name doesn't tell whether its holder has died.
    const fresh = heldOnce.has(name) ? await readListed(store, catalogKey, name, signal) : backup;
    if (fresh !== undefined && !fresh.pinned && !isHeld(fresh, storeTime)) free.push(fresh);
  }
  return free;
}
