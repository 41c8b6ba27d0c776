import { mkdir, readdir } from "node:fs/promises";
import { join } from "node:path";
import { asFailure, Failure } from "../core/errors";
import type { AddonRecord } from "../core/facets";
import { desiredServer, type LeaderAddress } from "../core/render";
import type { Clock, Task } from "../core/task";
import type { AddonLayout, HomeLayout } from "../platforms/local/home";
import { keptServerPath } from "../platforms/local/servers";
import { converge } from "../redis/converge";
import { isAlive } from "../system/processes";
import { connectServer } from "./connect-server";
import { endProcess } from "./end-process";
import { findOwnProcess, UNKNOWN_PORT, type OwnProcess } from "./find-own-process";
import { launch, launchFingerprint } from "./launch";
import { log } from "./log";
import { ProcessNotes } from "./process-notes";
import { requireFreePorts } from "./require-free-ports";
import { shutOutUsers } from "./shut-out-users";

const LONGEST_BACKOFF_MS = 30_000;
const FIRST_BACKOFF_MS = 500;

/** A record with whom it follows, read at one moment. */
export interface Placeable {
  readonly record: AddonRecord;
  readonly leader: LeaderAddress | undefined;
}

/** One add-on's server process: launched, adopted, watched, restarted, stopped. Its calls queue up. */
export class ServerProcess {
  readonly #files: AddonLayout;
  readonly #notes: ProcessNotes;
  #turn: Promise<unknown> = Promise.resolve();
  #running: OwnProcess | undefined;
  /** Whether the server may differ from its record: so it is until a placing has succeeded, after a new agent's start too. */
  #dirty = true;
  #failures = 0;
  #retryAt = 0;

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

  /** Makes the server run and be as recorded; fails with the cause where it can't. Absent is no longer recorded. */
  place(load: () => Promise<Placeable | undefined>, task: Task): Promise<void> {
    return this.#queued(() => this.#place(load, task));
  }

  /** The supervisor's look: cheap while all is well, otherwise a placing, less and less often while it fails. */
  async lookAfter(load: () => Promise<Placeable | undefined>, task: Task): Promise<void> {
    if (await this.#isWell()) return;
    const pause = this.#retryAt - this.clock.now();
    // A clock that was set back must not make the pause longer than it was meant.
    if (pause > 0 && pause <= LONGEST_BACKOFF_MS) return;
    await this.#queued(async () => {
      if (await this.#isWell()) return;
      if (this.#running !== undefined && !(await isAlive(this.#running)))
        log(`${this.name}: server ${this.#running.pid} is gone`);
      await this.#place(load, task);
    });
  }

  /** Stops the server, its data written down. False: none ran. */
  stop(task: Task, why: string): Promise<boolean> {
    return this.#queued(async () => {
      this.#running = await this.#found();
      const ran = this.#running !== undefined;
      if (this.#running !== undefined) await this.#end(this.#running, task);
      // An add-on whose very first record could not be written has no folder to note anything in.
      if (await this.#notes.exist()) await this.#notes.write({ state: "stopped", why });
      return ran;
    });
  }

  /** Ends the server whose data home was removed: its files are gone, so nothing is noted down. */
  abandon(task: Task): Promise<void> {
    return this.#queued(async () => {
      if (this.#running !== undefined) await this.#end(this.#running, task);
    });
  }

  /** Whether there is nothing that a backup could hold: no server runs, and none has left data behind. */
  async isEmpty(): Promise<boolean> {
    return (await this.#found()) === undefined && !(await holdsData(this.#files.data));
  }

  async #isWell(): Promise<boolean> {
    return !this.#dirty && this.#running !== undefined && (await isAlive(this.#running));
  }

  async #place(load: () => Promise<Placeable | undefined>, task: Task): Promise<void> {
    // Read only now: while this placing waited for its turn, a call may have recorded something newer.
    const current = await load();
    if (current === undefined) return;
    const { record, leader } = current;
    try {
      await mkdir(this.#files.data, { recursive: true, mode: 0o700 });
      const running = await this.#ensureRunning(record, leader, task);
      await this.#converge(record, leader, task).catch(async (error: unknown) => {
        if (!(error instanceof Failure) || error.code !== "load-failed") throw error;
        // Its memory is empty and its disk is not: a start brings the data from before the failed load back.
        log(`${this.name}: ${error.cause}; restarting it with the data from before`);
        await this.#end(running, task);
        await this.#ensureRunning(record, leader, task);
        await this.#converge(record, leader, task);
      });
      if (this.#running !== undefined) await this.#notes.write({ state: "running", process: this.#running });
      this.#dirty = false;
      this.#failures = 0;
    } catch (error) {
      await this.#failed(asFailure(error, "start the server of", this.name), task);
      throw error;
    }
  }

  async #failed(failure: Failure, task: Task): Promise<void> {
    this.#dirty = true;
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

  async #converge(record: AddonRecord, leader: LeaderAddress | undefined, task: Task): Promise<void> {
    await using server = await connectServer(record, task);
    for (const change of await converge(server, desiredServer(record, leader), task))
      log(`${this.name}: ${change}`);
    if (record.removing !== undefined) await shutOutUsers(server);
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
      await this.#end(this.#running, task);
    }
    await requireFreePorts(this.name, bind, port);
    await this.#requireData();
    task.progress({ message: `starting Redis ${version} on port ${port}` });
    const executable = keptServerPath(this.layout, version);
    const identity = await launch(this.#files, executable, record, leader, task, async (spawned) => {
      this.#running = { ...spawned, port, fingerprint };
      await this.#notes.write({ state: "starting", process: this.#running });
    });
    this.#running = { ...identity, port, fingerprint };
    log(`${this.name}: server ${identity.pid} runs Redis ${version} on port ${port}`);
    return this.#running;
  }

  /** A server that ran and finds no data would start empty, look healthy, and empty its followers too. */
  async #requireData(): Promise<void> {
    if (!(await this.#notes.hasRun()) || (await holdsData(this.#files.data))) return;
    throw new Failure({
      code: "data-gone",
      operation: "start the server of",
      subject: this.name,
      cause: `its data folder ${this.#files.data} holds no data any more`,
      hint: `Put the folder back; or give the add-on up with redis-addon delete ${this.name} --yes`,
    });
  }

  async #found(): Promise<OwnProcess | undefined> {
    if (this.#running !== undefined && (await isAlive(this.#running))) return this.#running;
    return findOwnProcess(this.#files);
  }

  async #end(running: OwnProcess, task: Task): Promise<void> {
    await endProcess(this.name, running, this.#files.log, task.clock);
    this.#running = undefined;
  }

  #queued<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#turn.then(work, work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}

/** Redis makes the manifest of its AOF at its first start, before it answers anybody. */
async function holdsData(folder: string): Promise<boolean> {
  const files = await readdir(join(folder, "appendonlydir")).catch(() => []);
  return files.some((file) => file.endsWith(".manifest"));
}
