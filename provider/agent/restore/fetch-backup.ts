import { randomUUID } from "node:crypto";
import { mkdir, rm } from "node:fs/promises";
import { join } from "node:path";
import type { AddonRecord } from "../../core/facets";
import type { Extracted } from "../../core/job";
import type { RestoreSource } from "../../core/restore";
import type { Task } from "../../core/task";
import type { HomeLayout } from "../../platforms/local/home";
import { keptServerPath } from "../../platforms/local/servers";
import { awaitJob, endJob, extractedFolder, startJob, type JobHandle } from "../backups/jobs";

/** A backup's files, complete and proved, on this disk; disposing it removes what is left of them. */
export interface FetchedBackup extends AsyncDisposable {
  readonly folder: string;
  readonly extracted: Extracted;
}

/**
 * Fetches a backup in a process of its own, proved with the server that shall load it. A caller that goes away takes the
 * job with it: nobody would use what it fetches.
 */
export async function fetchBackup(
  layout: HomeLayout,
  record: AddonRecord,
  source: RestoreSource,
  task: Task,
): Promise<FetchedBackup> {
  const { name } = record;
  const { version } = record.server.wish;
  const id = `${name}-restore-${randomUUID().slice(0, 8)}`;
  // One of its own: what a killed job has half written beside its folder goes with it.
  const parent = extractedFolder(layout, id);
  const folder = join(parent, "data");
  const removeAll = async (): Promise<void> => {
    for (const path of [parent, join(layout.jobs, id)]) await rm(path, { recursive: true, force: true });
  };
  await mkdir(parent, { mode: 0o700 });
  let job: JobHandle | undefined;
  try {
    job = await startJob(layout, {
      ...{ kind: "restore", id, addon: { name }, source, folder, scratchFolder: join(layout.jobs, id) },
      proof: { servers: [{ path: keptServerPath(layout, version), version }] },
    });
    const extracted = await awaitJob(layout, job, task);
    if (extracted.outcome !== "extracted") throw new Error(`a restore job answered ${extracted.outcome}`);
    return { folder, extracted, [Symbol.asyncDispose]: removeAll };
  } catch (error) {
    if (job !== undefined) await endJob(job, task.clock);
    await removeAll();
    throw error;
  }
}
