import type { JobResult, ReleaseJob } from "../../core/job";
import type { Task } from "../../core/task";
import { openStore } from "../../stores/open";
import { aboutAddon } from "./about-addon";

/** Lets go of a backup that a restore has held; one that is not held any more is success. */
export async function runReleaseJob(job: ReleaseJob, { signal }: Pick<Task, "signal">): Promise<JobResult> {
  try {
    await (await openStore(job.destination, job.credentials)).delete(job.hold, signal);
    return { type: "result", outcome: "released" };
  } catch (error) {
    throw aboutAddon(error, "release a backup of", job.addon.name);
  }
}
