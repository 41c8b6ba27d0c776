import { asFailure, Failure } from "../../core/errors";
import type { BackupJob, JobResult } from "../../core/job";
import { dueSlot } from "../../core/schedule";
import type { Task } from "../../core/task";
import { type ListedBackup, readCatalog } from "../catalog";
import { prune, type Pruned } from "../prune";
import { captureSource } from "../source";
import { takeBackup, type TakenBackup } from "../take-backup";
import type { Store } from "../../stores/contract";
import { openStore } from "../../stores/open";
import { removeLeftovers } from "../verify/scratch-folder";
import { aboutAddon } from "./about-addon";
import { prove } from "./prove";
import { refuseOffLimits } from "./refuse-off-limits";

const OPERATION = "back up";
/** No two backups of one add-on fall on one millisecond by chance, let alone several times. */
const SLOTS_TO_TRY = 5;

/** Performs one backup job. Every failure names the add-on. */
export async function runBackupJob(job: BackupJob, attempt: string, task: Task): Promise<JobResult> {
  try {
    await refuseOffLimits(job, OPERATION);
    // Here as well: this job may verify nothing, or fail before it does.
    await removeLeftovers(job.scratchFolder, task.clock.now());
    const store = await openStore(job.destination, job.credentials);
    const slot = await slotOf(job, store, task);
    if (slot === undefined) {
      const newestVerified = await catchUp(job, store, task);
      return {
        type: "result",
        outcome: "not-due",
        ...(newestVerified === undefined ? {} : { newestVerified }),
      };
    }
    const taken = await take(job, store, slot, attempt, task);
    const { manifest, takenHere } = taken;
    // Another machine's backup is that machine's to verify.
    const proof = takenHere ? await prove(job, store, manifest.slot, taken.key, task) : { warnings: [] };
    // Only after a success: a series of failures must not eat up the good backups that are left.
    const pruned = await tidy(job, store, task);
    return {
      type: "result",
      outcome: "backed-up",
      slot: manifest.slot,
      archiveUrl: `${store.url}/${job.addon.catalogKey}/${manifest.archive.name}`,
      sizeBytes: manifest.archive.sizeBytes,
      ...(manifest.keyspace === undefined ? {} : { keys: manifest.keyspace.keys }),
      takenHere,
      ...(proof.verification === undefined ? {} : { verification: proof.verification }),
      warnings: [...taken.warnings, ...proof.warnings],
      pruned: [...pruned.removed],
      ...(pruned.failure === undefined ? {} : { pruneFailure: pruned.failure }),
    };
  } catch (error) {
    throw aboutAddon(error, OPERATION, job.addon.name);
  }
}

/**
 * A job that was killed between its manifest and its end has left the rest to do. Returns the newest verified slot, which
 * whoever ticks may not know: that job, or another machine, has told nobody.
 */
async function catchUp(job: BackupJob, store: Store, task: Task): Promise<string | undefined> {
  const { catalogKey, createdAt } = job.addon;
  const { backups } = await readCatalog(store, catalogKey, task.signal);
  const past = backups.filter(({ slot }) => slot <= task.clock.now());
  const newest = past.at(-1);
  if (job.proof !== undefined && newest?.verification === undefined && newest?.archives.length) {
    const { verification } = await prove(job, store, newest.name, undefined, task);
    await tidy(job, store, task);
    if (verification?.outcome === "verified") return newest.name;
  }
  const isOwn = ({ slot }: ListedBackup): boolean => slot >= Date.parse(createdAt);
  return past.findLast((backup) => isOwn(backup) && backup.verification === "verified")?.name;
}

async function tidy(
  { addon, retention, reason, schedule }: BackupJob,
  store: Store,
  task: Task,
): Promise<Pruned> {
  const inForce = schedule ?? (reason.kind === "scheduled" ? reason.schedule : undefined);
  if (retention !== undefined) task.progress({ message: "removing backups that are no longer kept" });
  return prune(store, addon, retention, inForce, task).catch((error: unknown) => ({
    removed: [],
    failure: asFailure(error, "prune the backups of", addon.name).report(),
  }));
}

/**
 * A scheduled slot may be another machine's work as well. One on demand, and the final one, are of this moment: a
 * backup that lies in their slot already holds older data.
 */
async function take(
  job: BackupJob,
  store: Store,
  first: number,
  attempt: string,
  task: Task,
): Promise<TakenBackup> {
  const { name, catalogKey } = job.addon;
  for (let slot = first; slot < first + SLOTS_TO_TRY; slot++) {
    const taken = await takeBackup(
      {
        addon: { name, catalogKey },
        source: captureSource(job.source),
        reason: job.reason.kind,
        purpose: job.purpose,
        slot,
        attempt,
        databases: job.facts?.databases,
        store,
        encryption: job.encryption,
        scratchFolder: job.scratchFolder,
      },
      task,
    );
    if (taken.takenHere || job.reason.kind === "scheduled") return taken;
  }
  throw new Failure({
    code: "slot-taken",
    operation: OPERATION,
    subject: name,
    cause: "others back it up at the very same moment, again and again",
    hint: `Try again: redis-addon backup run ${name}`,
    transient: true,
  });
}

async function slotOf({ reason, addon }: BackupJob, store: Store, task: Task): Promise<number | undefined> {
  const now = task.clock.now();
  if (reason.kind !== "scheduled") return now;
  const { backups } = await readCatalog(store, addon.catalogKey, task.signal);
  // One from the future was dated by a clock that was wrong: it must not stop backups until then.
  const last = backups.map(({ slot }) => slot).findLast((slot) => slot <= now);
  return dueSlot(reason.schedule, { since: Date.parse(reason.since), last, now });
}
