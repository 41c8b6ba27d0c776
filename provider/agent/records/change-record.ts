import type { AddonRecord } from "../../core/facets";
import type { HomeLayout } from "../../platforms/local/home";
import { readRecord } from "../../platforms/local/records";
import { replaceRecord } from "./record-file";

/**
 * Writes what `change` makes of the record as it is now, and returns it. What others record meanwhile is kept: `change`
 * is called again with it. Absent: there is no record any more.
 */
export async function changeRecord(
  layout: HomeLayout,
  name: string,
  change: (present: AddonRecord) => AddonRecord,
): Promise<AddonRecord | undefined> {
  for (;;) {
    const present = await readRecord(layout, name);
    if (present === undefined) return undefined;
    const changed = change(present);
    if (JSON.stringify(changed) === JSON.stringify(present)) return present;
    if (await replaceRecord(layout, present, changed)) return changed;
  }
}
