import { mkdir } from "node:fs/promises";
import { asFailure, Failure } from "../../core/errors";
import type { AddonRecord } from "../../core/facets";
import type { Restoring } from "../../core/restore";
import { followed } from "../../core/followed";
import { desiredServer, type LeaderAddress } from "../../core/render";
import type { Clock, Task } from "../../core/task";
import type { AddonLayout, HomeLayout } from "../../platforms/local/home";
import { readRecord } from "../../platforms/local/records";
import { keptServerPath } from "../../platforms/local/servers";
import { converge, type Converged } from "../../redis/converge";
import type { RedisClient } from "../../redis/client";
import { requireLoaded } from "../../redis/last-load";
import { waitLoaded } from "../../redis/wait-loaded";
import { isAlive } from "../../system/processes";
import { connectServer } from "../connections/connect-server";
import { findData, readDataNote } from "./data-files";
import { endProcess } from "./end-process";
import { endServer } from "./end-server";
import { dropFallback } from "../records/fallback";
import { findOwnProcess, UNKNOWN_PORT, type OwnProcess } from "./find-own-process";
import { launch, launchFingerprint } from "./launch";
import { restoreFolders } from "../restore/folders";
import { clearLeftovers } from "../restore/leftovers";
import { settleRestore, undoneInVain, type RestoredServer } from "../restore/settle-restore";
import { loadingData } from "./loading-data";
import { log } from "../log";
import { ProcessNotes } from "./process-notes";
import { requireFreePorts } from "./require-free-ports";
import { settleData } from "./settle-data";
import { copyingAtLaunch, copyingNow } from "../replication/lineage/distrust";
import { markWhatIsLeft } from "../replication/lineage/mark-data";
import { haltAfterFatalLoad } from "../replication/watch/failed-loads";
import { shutOutUsers } from "../connections/shut-out-users";
import { changeUndone, undoChange } from "../records/undo-change";

const LONGEST_BACKOFF_MS = 30_000;
const FIRST_BACKOFF_MS = 500;

/** A record with whom it follows, read at one moment. */
export interface Placeable {
  readonly record: AddonRecord;
  readonly leader: LeaderAddress | undefined;
  /** Called once a server runs as they say: it has no use any more for what only an earlier one needed. */
  readonly onPlaced: () => Promise<void>;
}

/** How a placing went. */
export interface Placed {
  /** From the moment that the old server was asked to leave until the new one was as recorded; absent: no restart. */
  readonly restartedMs?: number;
  /** Where it followed and leads now: the last byte of its leader's history that it holds. */
  readonly finalOffset?: number;
}

/** One add-on's server process: launched, adopted, watched, restarted, stopped. Its calls queue up. */
export class ServerProcess {
  readonly #files: AddonLayout;
  readonly #notes: ProcessNotes;
  #turn: Promise<unknown> = Promise.resolve();
  #running: OwnProcess | undefined;
  /**
   * Whether the server may differ from its record: so it is until a placing has succeeded, after a new agent's start too,
   * and where a record was changed while a placing by the one before was under way.
   */
  #dirty = true;
  #failures = 0;
  #retryAt = 0;
  /** Since when this placing has no server to answer: it was asked to leave. */
  #leavingSince: number | undefined;
  /** Of the placings that were asked for before a stop: one whose server never answers would keep it waiting for ever. */
  #interruption = new AbortController();

  constructor(
    readonly layout: HomeLayout,
    readonly name: string,
    readonly clock: Clock,
  ) {
    this.#files = layout.addon(name);
    this.#notes = new ProcessNotes(this.#files);
  }

  /** Something that it depends on is about to change; if the change is cut short, the next look completes it. */
  touch(): void {
    this.#dirty = true;
    this.#retryAt = 0;
  }

  /**
   * Makes the server run and be as recorded; fails with the cause where it can't. A change that no server can run with
   * is undone first (`change-undone`). Absent is no longer recorded.
   */
  place(load: () => Promise<Placeable | undefined>, task: Task): Promise<Placed> {
    const untilStopped = this.#untilStopped(task);
    return this.#queued(() => this.#place(load, untilStopped));
  }

  /** The supervisor's look: cheap while all is well, otherwise a placing, less and less often while it fails. */
  async lookAfter(load: () => Promise<Placeable | undefined>, task: Task): Promise<void> {
    if (await this.#isWell()) return;
    const pause = this.#retryAt - this.clock.now();
    // A clock that was set back must not make the pause longer than it was meant.
    if (pause > 0 && pause <= LONGEST_BACKOFF_MS) return;
    const untilStopped = this.#untilStopped(task);
    await this.#queued(async () => {
      if (await this.#isWell()) return;
      if (this.#running !== undefined && !(await isAlive(this.#running)))
        log(`${this.name}: server ${this.#running.pid} is gone`);
      await this.#place(load, untilStopped);
    });
  }

  /** Does something while nobody places the server. */
  alone<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#queued(work);
  }

  /** Stops the server, its data written down. False: none ran. */
  stop(task: Task, why: string): Promise<boolean> {
    this.#interruption.abort(new Error("its server is being stopped"));
    this.#interruption = new AbortController();
    return this.#queued(async () => {
      this.#running = await this.#found();
      const ran = this.#running !== undefined;
      if (this.#running !== undefined) await this.#stop(this.#running, await this.#recordToStop(), task);
      // An add-on whose very first record could not be written has no folder to note anything in.
      if (await this.#notes.exist()) await this.#notes.write({ state: "stopped", why });
      return ran;
    });
  }

  /** Ends the server whose data home was removed: its files are gone, so nothing is noted down. */
  abandon(task: Task): Promise<void> {
    return this.#queued(async () => {
      if (this.#running === undefined) return;
      await endProcess(this.name, this.#running, this.#files.log, task.clock);
      this.#running = undefined;
    });
  }

  /** Whether there is nothing that a backup could hold: no server runs, and none has left data behind. */
  async isEmpty(): Promise<boolean> {
    if ((await this.#found()) !== undefined || (await findData(this.#files)) !== "nothing") return false;
    const { staged, replaced } = await restoreFolders(this.#files);
    return !staged && !replaced;
  }

  async #isWell(): Promise<boolean> {
    return !this.#dirty && this.#running !== undefined && (await isAlive(this.#running));
  }

  async #place(load: () => Promise<Placeable | undefined>, task: Task): Promise<Placed> {
    await this.#haltsNow();
    // Not at the end: what is recorded while this placing is under way has to be looked at again.
    this.#dirty = false;
    let placed: Placed | undefined;
    try {
      placed = await this.#placeOnce(load, task);
    } finally {
      if (placed === undefined) this.#dirty = true;
    }
    return placed ?? {};
  }

  async #placeOnce(load: () => Promise<Placeable | undefined>, task: Task): Promise<Placed | undefined> {
    // Read only now: while this placing waited for its turn, a call may have recorded something newer.
    const current = await load().catch(async (error: unknown) => {
      if (error instanceof Failure) await this.#failed(error, task);
      throw error;
    });
    if (current === undefined) return undefined;
    const { record, leader, onPlaced } = current;
    if (record.restoring !== undefined) return this.#placeRestored(current, record.restoring, load, task);
    await clearLeftovers(this.layout, record);
    try {
      const placed = await this.#bringUp(record, leader, task);
      await onPlaced();
      return placed;
    } catch (error) {
      if (!task.signal.aborted && (await this.#haltsNow())) return this.#place(load, task);
      const failure = asFailure(error, "start the server of", this.name);
      const undone = task.signal.aborted ? undefined : await undoChange(this.layout, record, failure);
      if (undone === undefined) {
        await this.#failed(failure, task);
        throw error;
      }
      log(`${this.name}: ${failure.message}: going back to what it ran as before`);
      try {
        await this.#bringUp(undone.record, leader, task);
      } catch (again) {
        const second = asFailure(again, "start the server of", this.name);
        await this.#failed(second, task);
        throw changeUndone(undone, failure, second);
      }
      throw changeUndone(undone, failure);
    }
  }

  /** The restore that was begun comes to its end; the server is then placed by the record that this leaves. */
  async #placeRestored(
    { record, leader }: Placeable,
    restoring: Restoring,
    load: () => Promise<Placeable | undefined>,
    task: Task,
  ): Promise<Placed> {
    const server: RestoredServer = {
      layout: this.layout,
      name: this.name,
      endServer: async () => {
        this.#running = await this.#found();
        if (this.#running !== undefined) await this.#end(this.#running, record, task);
      },
      bringUp: (as) => this.#bringUp(as, leader, task),
    };
    const undone = await settleRestore(server, record, restoring, task).catch(async (error: unknown) => {
      await this.#failed(asFailure(error, "restore", this.name), task);
      throw error;
    });
    if (undone === undefined) return this.#place(load, task);
    await this.#place(load, task).catch((error: unknown) => {
      throw undoneInVain(undone, error);
    });
    throw undone;
  }

  /** Whether its leader's snapshot has ended its server: then its record says from now on that it follows nobody. */
  async #haltsNow(): Promise<boolean> {
    return (await this.#found()) === undefined && haltAfterFatalLoad(this.layout, this.name, this.clock);
  }

  async #bringUp(record: AddonRecord, leader: LeaderAddress | undefined, task: Task): Promise<Placed> {
    await mkdir(this.#files.data, { recursive: true, mode: 0o700 });
    this.#leavingSince = undefined;
    const running = await this.#ensureRunning(record, leader, task);
    const converged = await this.#converge(record, leader, task).catch(async (error: unknown) => {
      if (!(error instanceof Failure) || error.code !== "load-failed") throw error;
      // Its memory is empty and its disk is not: a start brings the data from before the failed load back.
      log(`${this.name}: ${error.cause}; restarting it with the data from before`);
      await this.#end(running, record, task);
      await this.#ensureRunning(record, leader, task);
      return this.#converge(record, leader, task);
    });
    if (this.#running !== undefined) await this.#notes.write({ state: "running", process: this.#running });
    await dropFallback(this.#files, record);
    this.#failures = 0;
    const { finalOffset } = converged;
    const promoted = finalOffset === undefined ? {} : { finalOffset };
    if (this.#leavingSince === undefined) return promoted;
    const restartedMs = Math.round(this.clock.now() - this.#leavingSince);
    task.progress({ message: `restarted in ${restartedMs} ms` });
    return { ...promoted, restartedMs };
  }

  async #failed(failure: Failure, task: Task): Promise<void> {
    // The caller went away: nothing is wrong with the server, and the next look completes what was begun.
    if (task.signal.aborted) return;
    // Whether a port is free is looked at without starting anything: no need to look less and less often.
    this.#failures = failure.code === "port-taken" ? 0 : this.#failures + 1;
    this.#retryAt = this.clock.now() + Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** this.#failures);
    this.#running = await this.#found();
    await this.#notes.write(
      this.#running === undefined
        ? { state: "stopped", why: failure.cause }
        : { state: "running", process: this.#running, trouble: failure.cause },
    );
  }

  async #converge(record: AddonRecord, leader: LeaderAddress | undefined, task: Task): Promise<Converged> {
    await using server = await connectServer(record, task);
    for (;;) {
      await waitLoaded(server, task);
      try {
        return await this.#convergeLoaded(server, record, leader, task);
      } catch (error) {
        // A follower begins to load its leader's snapshot whenever that has arrived.
        if (!(error instanceof Failure) || error.code !== "loading") throw error;
      }
    }
  }

  async #convergeLoaded(
    server: RedisClient,
    record: AddonRecord,
    leader: LeaderAddress | undefined,
    task: Task,
  ): Promise<Converged> {
    // While it follows somebody the next snapshot may load; with nobody to follow, only a start brings its data back.
    if (followed(record) !== undefined && leader === undefined)
      await requireLoaded(server, "stop the follower", this.name);
    const copying = await copyingNow(this.layout, record, server, this.clock);
    const converged = await converge(server, desiredServer(record, leader, copying), task);
    for (const change of converged.changes) log(`${this.name}: ${change}`);
    if (record.removing !== undefined) await shutOutUsers(server);
    await settleData(server, this.#files, record, task);
    return converged;
  }

  async #ensureRunning(
    record: AddonRecord,
    leader: LeaderAddress | undefined,
    task: Task,
  ): Promise<OwnProcess> {
    const fingerprint = launchFingerprint(record);
    const { bind, port, version } = record.server.wish;
    this.#running = await this.#found();
    if (this.#running?.fingerprint === fingerprint) return this.#running;
    if (this.#running !== undefined) {
      // Looked at while the old server still runs: a change that can't be made must not take it down.
      if (this.#running.port !== UNKNOWN_PORT) await requireFreePorts(this.name, bind, port, this.#running);
      task.progress({ message: "restarting the server" });
      await this.#end(this.#running, record, task);
    }
    await requireFreePorts(this.name, bind, port);
    const launched = await loadingData(this.#files, this.#notes, record, leader);
    const copying = await copyingAtLaunch(this.layout, record, this.clock);
    task.progress({ message: `starting Redis ${version} on port ${port}` });
    const executable = keptServerPath(this.layout, version);
    const identity = await launch(
      this.#files,
      executable,
      launched,
      leader,
      copying,
      task,
      async (spawned) => {
        this.#running = { ...spawned, port, fingerprint };
        await this.#notes.write({ state: "starting", process: this.#running });
      },
    );
    this.#running = { ...identity, port, fingerprint };
    log(`${this.name}: server ${identity.pid} runs Redis ${version} on port ${port}`);
    return this.#running;
  }

  async #found(): Promise<OwnProcess | undefined> {
    if (this.#running !== undefined && (await isAlive(this.#running))) return this.#running;
    return findOwnProcess(this.#files);
  }

  async #end(running: OwnProcess, record: AddonRecord, task: Task): Promise<void> {
    this.#leavingSince ??= this.clock.now();
    await endServer(this.#files, running, record, task);
    this.#running = undefined;
    await markWhatIsLeft(this.layout, record, this.clock);
  }

  /** Whose record can't be read is ended by a signal, unless that would cost its data. */
  async #recordToStop(): Promise<AddonRecord | undefined> {
    return readRecord(this.layout, this.name).catch(async (error: unknown) => {
      if ((await readDataNote(this.#files)) !== undefined) throw error;
      return undefined;
    });
  }

  async #stop(running: OwnProcess, record: AddonRecord | undefined, task: Task): Promise<void> {
    try {
      if (record !== undefined) return await this.#end(running, record, task);
    } catch (error) {
      // An add-on that is removed from a full disk needs nothing saved.
      const failedToSave = error instanceof Failure && error.code === "save-failed";
      if (!failedToSave || record?.removing === undefined) throw error;
    }
    await endProcess(this.name, running, this.#files.log, task.clock);
    this.#running = undefined;
  }

  #untilStopped(task: Task): Task {
    return { ...task, signal: AbortSignal.any([task.signal, this.#interruption.signal]) };
  }

  #queued<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#turn.then(work, work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}
