import type { JobResult, ProbeJob } from "../../core/job";
import type { Task } from "../../core/task";
import { openStore } from "../../stores/open";
import { aboutAddon } from "./about-addon";
import { refuseOffLimits } from "./refuse-off-limits";

const OPERATION = "back up";

/**
 * Finds out whether a backup could be kept now, by what a backup does there first: it writes a small object and removes
 * it. Every failure names the add-on.
 */
export async function runProbeJob(job: ProbeJob, { signal }: Pick<Task, "signal">): Promise<JobResult> {
  try {
    await refuseOffLimits(job, OPERATION);
    const store = await openStore(job.destination, job.credentials);
    await store.guarantees(signal);
    return { type: "result", outcome: "fit" };
  } catch (error) {
    throw aboutAddon(error, OPERATION, job.addon.name);
  }
}
