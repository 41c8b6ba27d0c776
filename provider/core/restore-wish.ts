import { isDeepStrictEqual } from "node:util";
import type { AddonRecord } from "./facets";
import type { RestoreOrigin } from "./restore";

/** Whether an add-on's data were last restored from there: one wish restores once, whatever was written since. */
export function isRestored(record: AddonRecord | undefined, from: RestoreOrigin): boolean {
  return isDeepStrictEqual(record?.restored?.from, from);
}

/** Whether a restore from there was begun, and is completed or undone when the add-on's server is placed. */
export function isRestoring(record: AddonRecord | undefined, from: RestoreOrigin): boolean {
  return isDeepStrictEqual(record?.restoring?.from, from);
}
