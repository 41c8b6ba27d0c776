import { asFailure, type Failure } from "../../core/errors";
import type { AddonRecord } from "../../core/facets";
import type { BackupJob, JobResult } from "../../core/job";
import { parseSlot } from "../../core/slot";
import type { Clock, Task } from "../../core/task";
import type { BackupResult } from "../../platforms/contract";
import type { HomeLayout } from "../../platforms/local/home";
import { readBackupState, type BackupState } from "../../platforms/local/process-state";
import { recordedNames } from "../../platforms/local/records";
import { writeDurably } from "../../system/files";
import { unlessAborted } from "../../system/unless-aborted";
import { backupSpec } from "./backup-spec";
import { ensureCaptureUser } from "./capture-user";
import { dueNow } from "./due-now";
import { watchBackups } from "../alerts/watch-backups";
import { log } from "../log";
import { changingFiles } from "../records/changing-files";
import { awaitJob, leftoverJobs, startJob, type JobHandle } from "./jobs";

const TICK_MS = 5_000;
/** Each compresses on all cores and loads its data once more to prove them: more at once would only take memory. */
const MOST_AT_ONCE = 2;

interface RunningJob {
  readonly result: Promise<JobResult>;
  readonly listeners: Set<Task>;
}

/**
 * Runs backup jobs: on demand, by schedule, and the final one. At most one at a time for each add-on. A job belongs to
 * the agent and not to the call that started it: a caller that goes away leaves it running.
 */
export class BackupRunner {
  readonly #running = new Map<string, RunningJob>();
  readonly #files: ReturnType<typeof changingFiles>;
  #adopting: Promise<void> | undefined;

  constructor(
    readonly layout: HomeLayout,
    readonly clock: Clock,
    readonly signal: AbortSignal,
  ) {
    this.#files = changingFiles(layout);
  }

  /** A backup of this moment. */
  onDemand(record: AddonRecord, task: Task): Promise<BackupResult> {
    return this.#take(record, { kind: "demand" }, undefined, task);
  }

  /**
   * A backup of data that are about to be replaced, while nobody may write to the add-on. No older one goes for it,
   * whatever the retention says: what replaces them may be one of these, and is needed again where it can't be loaded.
   */
  safety(record: AddonRecord, task: Task): Promise<BackupResult> {
    return this.#take(record, { kind: "demand" }, "safety", task);
  }

  /** What an older server wrote last, before a newer one takes the data over. */
  beforeUpgrade(record: AddonRecord, task: Task): Promise<BackupResult> {
    return this.#take(record, { kind: "demand" }, "upgrade", task);
  }

  /** The last backup of an add-on that is being removed. */
  final(record: AddonRecord, task: Task): Promise<BackupResult> {
    return this.#take(record, { kind: "final" }, undefined, task);
  }

  /** Whether a backup of that add-on is being taken now. */
  isRunning(name: string): boolean {
    return this.#running.has(name);
  }

  /**
   * Collects what an earlier agent left running, then starts what is due, and tells of what goes wrong, until the agent
   * leaves.
   */
  async run(): Promise<void> {
    await this.#adoptLeftovers();
    const { layout, clock, signal } = this;
    const isRunning = (name: string): boolean => this.isRunning(name);
    await Promise.all([this.#startOnTime(), watchBackups({ layout, clock, signal, isRunning })]);
  }

  async #startOnTime(): Promise<void> {
    while (!this.signal.aborted) {
      for (const name of await this.#recordedNames()) {
        await this.#roomForOneMore();
        await this.#startWhatIsDue(name).catch((error: unknown) => {
          log(`${name}: backup: ${String(error)}`);
        });
      }
      await this.clock.sleep(TICK_MS, this.signal).catch(() => undefined);
    }
  }

  /** Every add-on is due at the same hour unless its policy says otherwise. */
  async #roomForOneMore(): Promise<void> {
    while (this.#running.size >= MOST_AT_ONCE && !this.signal.aborted)
      await Promise.race([...this.#running.values()].map(({ result }) => result.catch(() => undefined)));
  }

  /** What keeps them from being read may pass; the supervisor decides whether the agent goes on. */
  #recordedNames(): Promise<string[]> {
    return recordedNames(this.layout).catch((error: unknown) => {
      log(`backups: ${String(error)}`);
      return [];
    });
  }

  /**
   * Once, and before any job is started: calls may be served before `run`, what runs already must be waited for, and a
   * start that is under way looks like one that was interrupted.
   */
  #adoptLeftovers(): Promise<void> {
    this.#adopting ??= (async () => {
      for (const job of await leftoverJobs(this.layout))
        this.#remember(job.addon, () => Promise.resolve(job));
    })();
    return this.#adopting;
  }

  async #take(
    record: AddonRecord,
    reason: BackupJob["reason"],
    purpose: BackupJob["purpose"],
    task: Task,
  ): Promise<BackupResult> {
    await this.#adoptLeftovers();
    // What runs already holds the data of an earlier moment than the one that is asked for.
    for (let earlier = this.#running.get(record.name); earlier !== undefined;) {
      await this.#attended(earlier, task).catch(() => task.signal.throwIfAborted());
      earlier = this.#running.get(record.name);
    }
    const result = await this.#attended(this.#start(record, reason, purpose), task);
    if (result.outcome !== "backed-up" || !result.takenHere)
      throw new Error("only a scheduled backup can be not due or another machine's");
    const { slot, archiveUrl, sizeBytes, verification, warnings } = result;
    const keys = verification?.counts?.keys ?? result.keys;
    const proved = verification && { outcome: verification.outcome, why: verification.why };
    return {
      ...{ slot, archive: archiveUrl, sizeBytes, warnings },
      ...(keys === undefined ? {} : { keys }),
      ...(proved === undefined ? {} : { verification: proved }),
    };
  }

  async #startWhatIsDue(name: string): Promise<void> {
    const record = await this.#files.record(name);
    if (record === undefined) return;
    const state = await this.#files.backupState(name);
    // Whoever asked for one while these files were read has started it.
    if (this.#running.has(name)) return;
    const due = dueNow(record, state, this.clock.now());
    // Not awaited: a long backup of one add-on must not hold up the others. Its failure is noted and logged.
    if (due !== undefined) this.#start(record, due);
  }

  #start(record: AddonRecord, reason: BackupJob["reason"], purpose?: BackupJob["purpose"]): RunningJob {
    return this.#remember(record.name, async () => {
      await ensureCaptureUser(record, { signal: this.signal, clock: this.clock });
      return startJob(this.layout, await backupSpec(this.layout, record, reason, purpose));
    });
  }

  #remember(name: string, start: () => Promise<JobHandle>): RunningJob {
    const listeners = new Set<Task>();
    const progress: Task["progress"] = (step) => {
      for (const listener of listeners) listener.progress(step);
    };
    const result = this.#collect(name, start, { signal: this.signal, clock: this.clock, progress }).finally(
      () => {
        if (this.#running.get(name)?.listeners === listeners) this.#running.delete(name);
      },
    );
    // Whoever waits for it hears of its failure; nobody has to.
    result.catch(() => undefined);
    const running = { result, listeners };
    this.#running.set(name, running);
    return running;
  }

  async #attended(job: RunningJob, task: Task): Promise<JobResult> {
    job.listeners.add(task);
    try {
      return await unlessAborted(() => job.result, task.signal);
    } finally {
      job.listeners.delete(task);
    }
  }

  async #collect(name: string, start: () => Promise<JobHandle>, task: Task): Promise<JobResult> {
    try {
      const result = await awaitJob(this.layout, await start(), task);
      await this.#succeeded(name, result);
      return result;
    } catch (error) {
      if (!task.signal.aborted) await this.#failed(name, asFailure(error, "back up", name));
      throw error;
    }
  }

  async #succeeded(name: string, result: JobResult): Promise<void> {
    const now = this.clock.now();
    const known = await readBackupState(this.layout.addon(name));
    const at = new Date(now).toISOString();
    if (result.outcome === "not-due") {
      // The catalog knows of a newer slot than this agent did: remember that nothing is due up to now.
      const earlier = { at, outcome: "backed-up", detail: "an earlier backup" } as const;
      const shown = known?.outcome === "backed-up" ? known : earlier;
      const verified = verifiedAt(parseSlot(result.newestVerified ?? "") ?? known?.newestVerifiedAt);
      return this.#note(name, { ...shown, ...verified, newestSlotAt: now, failures: 0 });
    }
    if (result.outcome !== "backed-up") throw new Error(`a backup job answered ${result.outcome}`);
    log(`${name}: backup ${result.slot}, ${result.sizeBytes} bytes`);
    const newestSlotAt = parseSlot(result.slot);
    const { verification, warnings } = result;
    for (const warning of warnings) log(`${name}: backup ${result.slot}: ${warning}`);
    await this.#note(name, {
      ...{ at, outcome: "backed-up", detail: result.slot, newestSlotAt, failures: 0, warnings },
      ...(verification === undefined ? {} : { verification: verification.outcome }),
      ...verifiedAt(verification?.outcome === "verified" ? newestSlotAt : known?.newestVerifiedAt),
    });
  }

  async #failed(name: string, failure: Failure): Promise<void> {
    log(`${name}: backup failed: ${failure.message}`);
    const known = await readBackupState(this.layout.addon(name));
    await this.#note(name, {
      at: new Date(this.clock.now()).toISOString(),
      outcome: "failed",
      detail: failure.message,
      ...(known?.newestSlotAt === undefined ? {} : { newestSlotAt: known.newestSlotAt }),
      ...verifiedAt(known?.newestVerifiedAt),
      failures: (known?.failures ?? 0) + 1,
    });
  }

  async #note(name: string, state: BackupState): Promise<void> {
    // The add-on may have been removed while its job ran.
    await writeDurably(this.layout.addon(name).backups, JSON.stringify(state), 0o600).catch(() => undefined);
  }
}

function verifiedAt(slot: number | undefined): Pick<BackupState, "newestVerifiedAt"> {
  return slot === undefined ? {} : { newestVerifiedAt: slot };
}
