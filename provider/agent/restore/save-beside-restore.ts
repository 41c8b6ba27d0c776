import type { AddonRecord } from "../../core/facets";
import type { HomeLayout } from "../../platforms/local/home";
import { readRecord } from "../../platforms/local/records";
import { replaceRecord, saveRecord } from "../records/record-file";

/**
 * Saves a record that was read a while ago, and returns what was saved. Of restores it says what is recorded now: whoever
 * places the server may have completed one since, and a restore that is over must not begin again.
 */
export async function saveBesideRestore(layout: HomeLayout, record: AddonRecord): Promise<AddonRecord> {
  for (;;) {
    const present = await readRecord(layout, record.name);
    if (present === undefined) {
      await saveRecord(layout, record);
      return record;
    }
    const { restoring: _, restored: __, ...rest } = record;
    const { restoring, restored } = present;
    const merged = {
      ...rest,
      ...(restoring === undefined ? {} : { restoring }),
      ...(restored === undefined ? {} : { restored }),
    };
    if (await replaceRecord(layout, present, merged)) return merged;
  }
}
