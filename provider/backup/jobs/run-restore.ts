import type { JobResult, RestoreJob } from "../../core/job";
import type { Task } from "../../core/task";
import { openStore } from "../../stores/open";
import { restoreArchive } from "../restore/restore-archive";
import { restoreBackup, type Restored } from "../restore/restore-backup";
import { restoreSnapshot } from "../restore/restore-snapshot";
import { removeLeftovers } from "../verify/scratch-folder";
import { aboutAddon } from "./about-addon";

/** Fetches a backup into a folder from which a server loads it. Every failure names the add-on. */
export async function runRestoreJob(job: RestoreJob, task: Task): Promise<JobResult> {
  try {
    // What verifications of this add-on have left; the restore itself cleans up beside its folder.
    await removeLeftovers(job.scratchFolder, task.clock.now());
    return { type: "result", outcome: "extracted", ...(await restored(job, task)) };
  } catch (error) {
    throw aboutAddon(error, "restore", job.addon.name);
  }
}

async function restored({ source, folder, proof, keepsHold }: RestoreJob, task: Task): Promise<Restored> {
  switch (source.kind) {
    case "archive":
      return restoreArchive({ ...source, folder, proof }, task);
    case "snapshot":
      return restoreSnapshot({ ...source, folder, proof }, task);
    case "backup": {
      const { destination, credentials, catalogKey, slot, key } = source;
      const store = await openStore(destination, credentials);
      return restoreBackup({ store, catalogKey, slot, key, folder, proof, keepsHold }, task);
    }
  }
}
