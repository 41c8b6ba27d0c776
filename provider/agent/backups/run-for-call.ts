import type { JobResult, JobSpec } from "../../core/job";
import type { Task } from "../../core/task";
import type { HomeLayout } from "../../platforms/local/home";
import { awaitJob, endJob, startJob, type JobHandle } from "./jobs";

/** Runs a job for a call that alone wants its result: a caller that goes away takes it with it. Its folders stay. */
export async function runForCall(layout: HomeLayout, spec: JobSpec, task: Task): Promise<JobResult> {
  let job: JobHandle | undefined;
  try {
    job = await startJob(layout, spec);
    return await awaitJob(layout, job, task);
  } catch (error) {
    if (job !== undefined) await endJob(job, task.clock);
    throw error;
  }
}
