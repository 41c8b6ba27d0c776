import { asFailure, Failure } from "../core/errors";
import type { BackupJob, JobResult } from "../core/job";
import { dueSlot } from "../core/schedule";
import { Secret } from "../core/secret";
import type { Task } from "../core/task";
import { readCatalog } from "../backup/catalog";
import { prune } from "../backup/prune";
import { takeBackup } from "../backup/take-backup";
import type { Store } from "../stores/contract";
import { openStore } from "../stores/open";

const OPERATION = "back up";

/** Performs one backup job. Every failure names the add-on. */
export async function runBackupJob(job: BackupJob, attempt: string, task: Task): Promise<JobResult> {
  try {
    const store = await openStore(job.destination);
    const slot = await slotOf(job, store, task);
    if (slot === undefined) return { type: "result", outcome: "not-due" };
    const { manifest, takenHere } = await takeBackup(
      {
        addon: job.addon,
        source: { ...job.source, password: secret(job.source.password) },
        reason: job.reason.kind,
        slot,
        attempt,
        databases: job.facts?.databases,
        store,
      },
      task,
    );
    // Only after a success: a series of failures must not eat up the good backups that are left.
    task.progress({ message: "removing backups that are no longer kept" });
    const pruned = await prune(store, job.addon.catalogKey, job.retention, task).catch((error: unknown) => ({
      removed: [],
      failure: asFailure(error, "prune the backups of", job.addon.name).report(),
    }));
    return {
      type: "result",
      outcome: "backed-up",
      slot: manifest.slot,
      archiveUrl: `${store.url}/${job.addon.catalogKey}/${manifest.archive.name}`,
      sizeBytes: manifest.archive.sizeBytes,
      ...(manifest.keyspace === undefined ? {} : { keys: manifest.keyspace.keys }),
      takenHere,
      pruned: [...pruned.removed],
      ...(pruned.failure === undefined ? {} : { pruneFailure: pruned.failure }),
    };
  } catch (error) {
    throw aboutAddon(error, job.addon.name);
  }
}

async function slotOf({ reason, addon }: BackupJob, store: Store, task: Task): Promise<number | undefined> {
  const now = task.clock.now();
  if (reason.kind !== "scheduled") return now;
  const { backups } = await readCatalog(store, addon.catalogKey, task.signal);
  // One from the future was dated by a clock that was wrong: it must not stop backups until then.
  const last = backups.map(({ slot }) => slot).findLast((slot) => slot <= now);
  return dueSlot(reason.schedule, { since: Date.parse(reason.since), last, now });
}

function secret(value: string | undefined): Secret | undefined {
  return value === undefined ? undefined : new Secret(value);
}

/** The same failure, told of the add-on instead of the file or server that a user may not know of. */
function aboutAddon(error: unknown, name: string): Failure {
  const inner = asFailure(error, OPERATION, name);
  if (inner.operation === OPERATION && inner.subject === name) return inner;
  return new Failure({
    ...inner.report(),
    operation: OPERATION,
    subject: name,
    cause: `cannot ${inner.operation} ${inner.subject}: ${inner.cause}`,
  });
}
