import { randomUUID } from "node:crypto";
import { addressForBackups } from "../../core/as-leader";
import { workingFolders } from "../../core/destination";
import { DEFAULT_BACKUPS, type AddonRecord } from "../../core/facets";
import type { BackupJob } from "../../core/job";
import { planOf } from "../../core/plans";
import { readDataMark } from "../../platforms/local/data-mark";
import { destinationIn, type HomeLayout } from "../../platforms/local/home";
import { keptServerPath } from "../../platforms/local/servers";
import { jobFolder } from "./job-folders";

/** What a job is told of an add-on's backup. */
export async function backupSpec(
  layout: HomeLayout,
  record: AddonRecord,
  reason: BackupJob["reason"],
  purpose?: BackupJob["purpose"],
): Promise<BackupJob> {
  const { plan, version } = record.server.wish;
  const wish = record.backups?.wish ?? DEFAULT_BACKUPS;
  const { credentials, encryption, retention, schedule } = wish;
  // Backups of data that may be less than they were must not cost those from before; nor must those of data that are
  // being replaced, by one of the older ones perhaps.
  const { distrusted } = (await readDataMark(layout.addon(record.name))) ?? {};
  const id = `${record.name}-${reason.kind}-${randomUUID().slice(0, 8)}`;
  return {
    kind: "backup",
    id,
    addon: { name: record.name, catalogKey: record.catalogKey, createdAt: record.createdAt },
    source: { ...addressForBackups(record), dataFolder: layout.addon(record.name).data },
    destination: destinationIn(layout, wish),
    ...(credentials === undefined ? {} : { credentials }),
    ...(encryption === undefined ? {} : { encryption }),
    offLimits: workingFolders(layout),
    // What a killed job leaves goes with its folder.
    scratchFolder: jobFolder(layout, id),
    reason,
    ...(purpose === undefined ? {} : { purpose }),
    ...(distrusted === undefined && purpose !== "safety" ? { retention } : {}),
    schedule,
    proof: { servers: [{ path: keptServerPath(layout, version), version }] },
    facts: { databases: planOf(plan).databases },
  };
}
