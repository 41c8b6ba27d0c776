import { randomUUID } from "node:crypto";
import { pathToFileURL } from "node:url";
import { addressAsLeader } from "../core/as-leader";
import { workingFolders } from "../core/destination";
import { DEFAULT_BACKUPS, type AddonRecord } from "../core/facets";
import type { BackupJob } from "../core/job";
import { PLANS } from "../core/plans";
import type { HomeLayout } from "../platforms/local/home";

/** What a job is told of an add-on's backup. */
export function backupSpec(layout: HomeLayout, record: AddonRecord, reason: BackupJob["reason"]): BackupJob {
  const { wish } = record.server;
  return {
    kind: "backup",
    id: `${record.name}-${reason.kind}-${randomUUID().slice(0, 8)}`,
    addon: { name: record.name, catalogKey: record.catalogKey, createdAt: record.createdAt },
    source: addressAsLeader(record),
    destination: record.backups?.wish.destination ?? pathToFileURL(layout.backups).href,
    offLimits: workingFolders(layout),
    reason,
    retention: record.backups?.wish.retention ?? DEFAULT_BACKUPS.retention,
    facts: { databases: PLANS[wish.plan].databases },
  };
}
