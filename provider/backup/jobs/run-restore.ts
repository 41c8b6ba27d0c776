import { Failure } from "../../core/errors";
import type { JobResult, RestoreJob } from "../../core/job";
import type { Task } from "../../core/task";

/** Fetches a backup into a folder from which a server loads it. Every failure names the add-on. */
export async function runRestoreJob(job: RestoreJob, _task: Task): Promise<JobResult> {
  throw new Failure({ code: "internal", operation: "restore", subject: job.addon.name, cause: "skeleton" });
}
