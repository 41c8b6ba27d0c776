import { mkdir } from "node:fs/promises";
import { Failure } from "../core/errors";
import type { AddonRecord } from "../core/facets";
import { desiredServer, type LeaderAddress } from "../core/render";
import type { Clock, Task } from "../core/task";
import type { AddonLayout, HomeLayout } from "../platforms/local/home";
import { connectServer } from "./connect-server";
import { readProcessState, type ProcessState } from "../platforms/local/process-state";
import { keptServerPath } from "../platforms/local/servers";
import { converge } from "../redis/converge";
import { writeDurably } from "../system/files";
import { isPortFree, portHolder } from "../system/ports";
import { isAlive, signalProcess, waitForEnd, type ProcessIdentity } from "../system/processes";
import { findOwnProcess } from "./find-own-process";
import { launch, launchFingerprint } from "./launch";
import { log } from "./log";
import { shutOutUsers } from "./shut-out-users";

/** How long a server may take to write its data down and leave. */
const STOP_DEADLINE_MS = 120_000;
const LONGEST_BACKOFF_MS = 30_000;
const FIRST_BACKOFF_MS = 500;

export interface Placeable {
  readonly record: AddonRecord;
  readonly leader: LeaderAddress | undefined;
}

interface Running extends ProcessIdentity {
  readonly port: number;
  readonly fingerprint: string;
}

/** One add-on's server process: launched, adopted, watched, restarted, stopped. Its calls queue up. */
export class ServerProcess {
  readonly #files: AddonLayout;
  #turn: Promise<unknown> = Promise.resolve();
  #running: Running | undefined;
  #failures = 0;
  #retryAt = 0;

  constructor(
    readonly layout: HomeLayout,
    readonly name: string,
    readonly clock: Clock,
  ) {
    this.#files = layout.addon(name);
  }

  /** Makes the server run and be as recorded; fails with the cause where it can't. */
  place(record: AddonRecord, leader: LeaderAddress | undefined, task: Task): Promise<void> {
    return this.#queued(() => this.#place(record, leader, task));
  }

  /** The supervisor's look: cheap while the process lives, otherwise a start, less and less often while it fails. */
  async lookAfter(load: () => Promise<Placeable | undefined>, task: Task): Promise<void> {
    if (this.#running !== undefined && (await isAlive(this.#running))) return;
    if (this.clock.now() < this.#retryAt) return;
    await this.#queued(async () => {
      if (this.#running !== undefined && (await isAlive(this.#running))) return;
      if (this.#running !== undefined) log(`${this.name}: server ${this.#running.pid} is gone`);
      // Read only now: while this look waited for its turn, a call may have recorded something newer.
      const current = await load();
      if (current !== undefined) await this.#place(current.record, current.leader, task);
    });
  }

  /** Stops the server, its data written down. False: none ran. */
  stop(task: Task, why: string): Promise<boolean> {
    return this.#queued(async () => {
      this.#running ??= await findOwnProcess(this.layout, this.name, task);
      const stopped = await this.#end(task);
      await this.#note({ state: "stopped", why });
      return stopped;
    });
  }

  async #place(record: AddonRecord, leader: LeaderAddress | undefined, task: Task): Promise<void> {
    try {
      await mkdir(this.#files.data, { recursive: true, mode: 0o700 });
      await this.#ensureRunning(record, leader, task);
      await this.#converge(record, leader, task).catch(async (error: unknown) => {
        if (!(error instanceof Failure) || error.code !== "load-failed") throw error;
        // Its memory is empty and its disk is not: a start brings the data from before the failed load back.
        log(`${this.name}: ${error.cause}; restarting it with the data from before`);
        await this.#end(task);
        await this.#ensureRunning(record, leader, task);
        await this.#converge(record, leader, task);
      });
      this.#failures = 0;
    } catch (error) {
      // Whether a port is free is looked at without starting anything: no need to look less and less often.
      const portTaken = error instanceof Failure && error.code === "port-taken";
      this.#failures = portTaken ? 0 : this.#failures + 1;
      this.#retryAt = this.clock.now() + Math.min(LONGEST_BACKOFF_MS, FIRST_BACKOFF_MS * 2 ** this.#failures);
      if (this.#running === undefined && !task.signal.aborted)
        await this.#note({ state: "stopped", why: error instanceof Failure ? error.cause : String(error) });
      throw error;
    }
  }

  async #converge(record: AddonRecord, leader: LeaderAddress | undefined, task: Task): Promise<void> {
    await using server = await connectServer(record, task);
    for (const change of await converge(server, desiredServer(record, leader), task))
      log(`${this.name}: ${change}`);
    if (record.removing !== undefined) await shutOutUsers(server);
  }

  async #ensureRunning(record: AddonRecord, leader: LeaderAddress | undefined, task: Task): Promise<void> {
    const fingerprint = launchFingerprint(record);
    if (this.#running === undefined || !(await isAlive(this.#running))) {
      this.#running = await findOwnProcess(this.layout, this.name, task);
      if (this.#running !== undefined) await this.#note({ state: "running", ...this.#running });
    }
    if (this.#running?.fingerprint === fingerprint) return;
    if (this.#running !== undefined) {
      task.progress({ message: "restarting the server" });
      await this.#end(task);
    }
    const { bind, port, version } = record.server.wish;
    await this.#requireFreePort(bind, port);
    task.progress({ message: `starting Redis ${version} on port ${port}` });
    await this.#note({ state: "starting" });
    const executable = keptServerPath(this.layout, version);
    this.#running = { ...(await launch(this.#files, executable, record, leader, task)), port, fingerprint };
    await this.#note({ state: "running", ...this.#running });
    log(`${this.name}: server ${this.#running.pid} runs Redis ${version} on port ${port}`);
  }

  /** A recorded port never changes by itself: where it is taken the server stays down, and says by whom. */
  async #requireFreePort(bind: string, port: number): Promise<void> {
    for (const address of bind.split(/\s+/)) {
      if (await isPortFree(address, port)) continue;
      throw new Failure({
        code: "port-taken",
        operation: "start the server of",
        subject: this.name,
        cause: `port ${port} is taken by ${(await portHolder(port)) ?? "another process"}`,
        hint: "End that process, or set the add-on's port to a free one",
        transient: true,
      });
    }
  }

  async #end(task: Task): Promise<boolean> {
    if (this.#running === undefined || !(await isAlive(this.#running))) {
      this.#running = undefined;
      return false;
    }
    // Redis takes SIGTERM as a request to flush its AOF and leave; a SIGKILL would lose what was acknowledged last.
    await signalProcess(this.#running, "SIGTERM");
    if (!(await waitForEnd(this.#running, STOP_DEADLINE_MS, task.clock)))
      throw new Failure({
        code: "server-not-stopped",
        operation: "stop the server of",
        subject: this.name,
        cause: `process ${this.#running.pid} did not end within ${STOP_DEADLINE_MS / 1000} s`,
        hint: `See ${this.#files.log}, then try again`,
        transient: true,
      });
    this.#running = undefined;
    return true;
  }

  async #note(state: ProcessState): Promise<void> {
    const known = await readProcessState(this.#files);
    if (JSON.stringify(known) !== JSON.stringify(state))
      await writeDurably(this.#files.process, JSON.stringify(state), 0o600);
  }

  #queued<Result>(work: () => Promise<Result>): Promise<Result> {
    const turn = this.#turn.then(work, work);
    this.#turn = turn.catch(() => undefined);
    return turn;
  }
}
