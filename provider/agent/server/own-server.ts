import { mkdir } from "node:fs/promises";
import { Failure } from "../../core/errors";
import type { AddonRecord } from "../../core/facets";
import type { LeaderAddress } from "../../core/render";
import type { Clock, Task } from "../../core/task";
import type { AddonLayout, HomeLayout } from "../../platforms/local/home";
import { keptServerPath } from "../../platforms/local/servers";
import { isAlive, type ProcessIdentity } from "../../system/processes";
import { log } from "../log";
import { dropFallback } from "../records/fallback";
import { copyingAtLaunch } from "../replication/lineage/distrust";
import { markWhatIsLeft } from "../replication/lineage/mark-data";
import { convergeServer } from "./converge-server";
import { endProcess } from "./end-process";
import { endServer } from "./end-server";
import { findOwnProcess, UNKNOWN_PORT, type OwnProcess } from "./find-own-process";
import { launch, launchFingerprint } from "./launch";
import { loadingData } from "./loading-data";
import { ProcessNotes } from "./process-notes";
import { requireFreePorts } from "./require-free-ports";

/** How a placing went. */
export interface Placed {
  /** From the moment that the old server was asked to leave until the new one was as recorded; absent: no restart. */
  readonly restartedMs?: number;
  /** Where it followed and leads now: the last byte of its leader's history that it holds. */
  readonly finalOffset?: number;
}

/** An add-on's server as a process: found, launched, made as recorded, ended. Whoever calls does one thing at a time. */
export class OwnServer {
  readonly notes: ProcessNotes;
  readonly #files: AddonLayout;
  #running: OwnProcess | undefined;
  /** Since when this placing has no server to answer: it was asked to leave. */
  #leavingSince: number | undefined;

  constructor(
    readonly layout: HomeLayout,
    readonly name: string,
    readonly clock: Clock,
  ) {
    this.#files = layout.addon(name);
    this.notes = new ProcessNotes(this.#files);
  }

  /** The process that this agent knows of, which may be gone by now. */
  get known(): OwnProcess | undefined {
    return this.#running;
  }

  /** The process that runs, also one that an earlier agent left running. */
  async found(): Promise<OwnProcess | undefined> {
    if (this.#running !== undefined && (await isAlive(this.#running))) return this.#running;
    return findOwnProcess(this.#files);
  }

  /**
   * Launches it or adopts the one that runs, waits until its data are loaded, and makes it as the record says. `outgoing`
   * is a process that is not adopted, but ended first.
   */
  async bringUp(
    record: AddonRecord,
    leader: LeaderAddress | undefined,
    task: Task,
    outgoing?: ProcessIdentity,
  ): Promise<Placed> {
    await mkdir(this.#files.data, { recursive: true, mode: 0o700 });
    this.#leavingSince = undefined;
    const running = await this.#ensureRunning(record, leader, task, outgoing);
    const converged = await convergeServer(this.layout, record, leader, task).catch(
      async (error: unknown) => {
        if (!(error instanceof Failure) || error.code !== "load-failed") throw error;
        // Its memory is empty and its disk is not: a start brings the data from before the failed load back.
        log(`${this.name}: ${error.cause}; restarting it with the data from before`);
        await this.#end(running, record, task);
        await this.#ensureRunning(record, leader, task);
        return convergeServer(this.layout, record, leader, task);
      },
    );
    if (this.#running !== undefined) await this.notes.write({ state: "running", process: this.#running });
    await dropFallback(this.#files, record);
    const { finalOffset } = converged;
    const promoted = finalOffset === undefined ? {} : { finalOffset };
    if (this.#leavingSince === undefined) return promoted;
    const restartedMs = Math.round(this.clock.now() - this.#leavingSince);
    task.progress({ message: `restarted in ${restartedMs} ms` });
    return { ...promoted, restartedMs };
  }

  /** Ends it so that the next one finds its data. None that runs is success. */
  async end(record: AddonRecord, task: Task): Promise<void> {
    this.#running = await this.found();
    if (this.#running !== undefined) await this.#end(this.#running, record, task);
  }

  /** Ends it by a signal: what it keeps in memory alone is lost. */
  async endByForce(running: OwnProcess): Promise<void> {
    await endProcess(this.name, running, this.#files.log, this.clock);
    this.#running = undefined;
  }

  async noteTrouble(why: string): Promise<void> {
    this.#running = await this.found();
    await this.notes.write(
      this.#running === undefined
        ? { state: "stopped", why }
        : { state: "running", process: this.#running, trouble: why },
    );
  }

  async #ensureRunning(
    record: AddonRecord,
    leader: LeaderAddress | undefined,
    task: Task,
    outgoing?: ProcessIdentity,
  ): Promise<OwnProcess> {
    const fingerprint = launchFingerprint(record);
    const { bind, port, version } = record.server.wish;
    this.#running = await this.found();
    const isToLeave = this.#running !== undefined && isSame(this.#running, outgoing);
    if (this.#running?.fingerprint === fingerprint && !isToLeave) return this.#running;
    if (this.#running !== undefined) {
      // Looked at while the old server still runs: a change that can't be made must not take it down.
      if (this.#running.port !== UNKNOWN_PORT) await requireFreePorts(this.name, bind, port, this.#running);
      task.progress({ message: "restarting the server" });
      await this.#end(this.#running, record, task);
    }
    await requireFreePorts(this.name, bind, port);
    const launched = await loadingData(this.#files, this.notes, record, leader);
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
        await this.notes.write({ state: "starting", process: this.#running });
      },
    );
    this.#running = { ...identity, port, fingerprint };
    log(`${this.name}: server ${identity.pid} runs Redis ${version} on port ${port}`);
    return this.#running;
  }

  async #end(running: OwnProcess, record: AddonRecord, task: Task): Promise<void> {
    this.#leavingSince ??= this.clock.now();
    await endServer(this.#files, running, record, task);
    this.#running = undefined;
    await markWhatIsLeft(this.layout, record, this.clock);
  }
}

function isSame({ pid, startedAt }: ProcessIdentity, other: ProcessIdentity | undefined): boolean {
  return pid === other?.pid && startedAt === other.startedAt;
}
