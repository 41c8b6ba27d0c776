import type { JobResult, VerifyJob } from "../../core/job";
import type { Task } from "../../core/task";
import { openStore } from "../../stores/open";
import { verifyBackup } from "../verify/verify-backup";
import { aboutAddon } from "./about-addon";

/** Verifies one backup and writes down what was found, which may be that it is damaged. Every failure names the add-on. */
export async function runVerifyJob(job: VerifyJob, task: Task): Promise<JobResult> {
  const { addon, slot, scratchFolder, key, proof } = job;
  try {
    const store = await openStore(job.destination, job.credentials);
    const { catalogKey } = addon;
    const request = { store, catalogKey, slot, scratchFolder, ...proof, key };
    return { type: "result", outcome: "looked-at", verification: await verifyBackup(request, task) };
  } catch (error) {
    throw aboutAddon(error, `verify backup ${slot} of`, addon.name);
  }
}
