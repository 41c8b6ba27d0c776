import { parseEnding } from "../core/manifest";
import { parseSlot, SLOT_LENGTH } from "../core/slot";
import type { StoredObject } from "../stores/contract";
import { byKey } from "../stores/keys";
import type { Catalog, ListedBackup } from "./catalog";
import { Listed } from "./listed";
import { objectTable } from "./object-table";

/**
 * Sorts the objects of one catalog by their slots, in whatever order they come. A catalog may hold hundreds of thousands:
 * of a backup with its archive, its manifest and what was found in it some 200 bytes are kept.
 */
export function collecting(catalogKey: string): {
  add(object: StoredObject): void;
  catalog(): Catalog;
} {
  const folder = `${catalogKey}/`;
  const table = objectTable();
  let reachedAt = -Infinity;
  return {
    add({ key, sizeBytes, modifiedAt }) {
      reachedAt = Math.max(reachedAt, modifiedAt);
      const name = key.slice(folder.length);
      const slot = parseSlot(name.slice(0, SLOT_LENGTH));
      if (slot === undefined) return;
      const ending = name.slice(SLOT_LENGTH);
      const kind = parseEnding(name, ending)?.kind;
      if (kind === undefined) return;
      table.add(slot, { ending, sizeBytes, modifiedAt }, kind !== "archive" && kind !== "hold");
    },
    catalog() {
      const rows = table.bySlot();
      const listing = { catalogKey, table, rows, reachedAt };
      const backups: ListedBackup[] = [];
      const orphans: StoredObject[] = [];
      for (let from = 0; from < rows.length;) {
        const slot = table.slotOf(rows[from] ?? 0);
        let to = from + 1;
        while (to < rows.length && table.slotOf(rows[to] ?? 0) === slot) to++;
        const listed = new Listed(listing, from, to);
        if (listed.exists) backups.push(listed);
        else orphans.push(...listed.objects);
        from = to;
      }
      return { backups, orphans: orphans.sort(byKey), reachedAt };
    },
  };
}
