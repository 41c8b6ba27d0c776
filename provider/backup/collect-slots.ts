import { parseEnding } from "../core/manifest";
import { formatSlot, parseSlot, SLOT_LENGTH } from "../core/slot";
import { VERIFICATION_OUTCOMES, type VerificationOutcome } from "../core/verification";
import type { StoredObject } from "../stores/contract";
import { byKey } from "../stores/keys";
import type { Catalog, ListedBackup } from "./catalog";
import { isHeld } from "./dead";

/*
 * A catalog may hold hundreds of thousands of objects. Of most of them no more is kept than that they are there: the
 * names follow from the slot's, which is part of its archive's.
 */

interface Slot {
  readonly name: string;
  /** Milliseconds since the Unix epoch. */
  readonly slot: number;
  archives: readonly StoredObject[];
  holds: readonly StoredObject[];
  /** The manifest, the pin and what was found: two of them share no ending. */
  rest: readonly Beside[];
}

interface Beside {
  readonly ending: string;
  readonly modifiedAt: number;
}

const MANIFEST = ".json";
const PIN = ".pin";
const NONE: readonly never[] = [];
/** The few endings that there are, and the few lists of them: hundreds of thousands share these. */
const endings = new Map<string, string>();
const lists = new Map<string, readonly string[]>();

/** Sorts the objects of one catalog by their slots, in whatever order they come. */
export function collecting(catalogKey: string): {
  add(object: StoredObject): void;
  catalog(): Catalog;
} {
  const folder = `${catalogKey}/`;
  const slots = new Map<string, Slot>();
  let reachedAt = -Infinity;

  const slotOf = (name: string): Slot | undefined => {
    const found = slots.get(name);
    if (found !== undefined) return found;
    const instant = parseSlot(name);
    if (instant === undefined) return undefined;
    // Spelt anew: a part of the key would keep all of it.
    const own = formatSlot(instant);
    const slot: Slot = { name: own, slot: instant, archives: NONE, holds: NONE, rest: NONE };
    slots.set(own, slot);
    return slot;
  };

  return {
    add(object) {
      const { key, modifiedAt } = object;
      reachedAt = Math.max(reachedAt, modifiedAt);
      const slot = slotOf(key.slice(folder.length, folder.length + SLOT_LENGTH));
      if (slot === undefined) return;
      const ending = key.slice(folder.length + SLOT_LENGTH);
      switch (parseEnding(slot.name, ending)?.kind) {
        case undefined:
          return;
        case "archive":
          slot.archives = appended(slot.archives, object);
          return;
        case "hold":
          slot.holds = appended(slot.holds, object);
          return;
        case "manifest":
        case "pin":
        case "verification":
          slot.rest = appended(slot.rest, { ending: shared(endings, ending), modifiedAt });
      }
    },
    catalog: () => catalogOf(catalogKey, slots.values(), reachedAt),
  };
}

function catalogOf(catalogKey: string, slots: Iterable<Slot>, reachedAt: number): Catalog {
  const backups: ListedBackup[] = [];
  const orphans: { readonly key: string; readonly modifiedAt: number }[] = [];
  for (const { name, slot, archives, holds, rest } of slots) {
    const all = shared(lists, rest.map(({ ending }) => ending).sort());
    if (all.includes(MANIFEST)) {
      const pinned = all.includes(PIN);
      const held = isHeld({ holds }, reachedAt);
      const verification = worstOf(name, all);
      backups.push({ slot, name, pinned, held, verification, archives, holds, endings: all });
    } else {
      orphans.push(...archives, ...holds);
      for (const { ending, modifiedAt } of rest)
        orphans.push({ key: `${catalogKey}/${name}${ending}`, modifiedAt });
    }
  }
  return { backups: backups.sort((a, b) => a.slot - b.slot), orphans: orphans.sort(byKey), reachedAt };
}

/** Only for the moment between two writes are there several; then the worst counts. */
function worstOf(name: string, all: readonly string[]): VerificationOutcome | undefined {
  const outcomes = all.map((ending) => {
    const parsed = parseEnding(name, ending);
    return parsed?.kind === "verification" ? parsed.outcome : undefined;
  });
  return VERIFICATION_OUTCOMES.findLast((outcome) => outcomes.includes(outcome));
}

/** Most have one alone: a list that grows by itself has room for many more. */
function appended<T>(list: readonly T[], item: T): readonly T[] {
  return list.length === 0 ? [item] : [...list, item];
}

/** The first that was equal. */
function shared<T extends string | readonly string[]>(known: Map<string, T>, value: T): T {
  const spelt = String(value);
  const found = known.get(spelt);
  if (found === undefined) known.set(spelt, value);
  return found ?? value;
}
