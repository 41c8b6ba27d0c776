import { randomBytes } from "node:crypto";
import { calm } from "../../core/calm";
import type { JobResult, JobSpec } from "../../core/job";
import type { Task } from "../../core/task";
import { runBackupJob } from "./run-backup";
import { runProbeJob } from "./run-probe";
import { runReleaseJob } from "./run-release";
import { runRestoreJob } from "./run-restore";
import { runVerifyJob } from "./run-verify";

/** Performs one job in this process. Every failure is a Failure that names the add-on. */
export function performJob(job: JobSpec, given: Task): Promise<JobResult> {
  const task = calm(given);
  switch (job.kind) {
    case "backup":
      return runBackupJob(job, randomBytes(6).toString("hex"), task);
    case "verify":
      return runVerifyJob(job, task);
    case "restore":
      return runRestoreJob(job, task);
    case "probe":
      return runProbeJob(job, task);
    case "release":
      return runReleaseJob(job, task);
  }
}
