import type { HomeLayout } from "../../platforms/local/home";
import { readBackupState } from "../../platforms/local/process-state";
import { readRecord } from "../../platforms/local/records";
import { readIfChanged } from "./read-if-changed";

/** What is looked at of every add-on again and again, to see what is due. Calls read the files themselves. */
export function changingFiles(layout: HomeLayout) {
  return {
    record: readIfChanged(
      (name) => layout.addon(name).record,
      (name) => readRecord(layout, name),
    ),
    backupState: readIfChanged(
      (name) => layout.addon(name).backups,
      (name) => readBackupState(layout.addon(name)),
    ),
  };
}
