import { Failure } from "../../core/errors";
import type { AddonRecord } from "../../core/facets";
import type { Clock, Task } from "../../core/task";
import type { AddonLayout, HomeLayout } from "../../platforms/local/home";
import { readRecord } from "../../platforms/local/records";
import { isAlive, type ProcessIdentity } from "../../system/processes";
import { log } from "../log";
import { Queue } from "../queue";
import { restoreFolders } from "../restore/folders";
import { BackOff } from "./back-off";
import { findData, readDataNote } from "./data-files";
import type { OwnProcess } from "./find-own-process";
import { OwnServer, type Placed } from "./own-server";
import { haltsNow, placeServer, type Placeable } from "./place-server";

/** One add-on's server: when it is placed, looked after and stopped. Its calls queue up. */
export class ServerProcess {
  readonly #files: AddonLayout;
  readonly #server: OwnServer;
  readonly #queue = new Queue();
  readonly #backOff = new BackOff();
  /**
   * Whether the server may differ from its record: so it is until a placing has succeeded, after a new agent's start too,
   * and where a record was changed while a placing by the one before was under way.
   */
  #dirty = true;
  /** Of the placings that were asked for before a stop: one whose server never answers would keep it waiting for ever. */
  #interruption = new AbortController();

  constructor(
    readonly layout: HomeLayout,
    readonly name: string,
    readonly clock: Clock,
  ) {
    this.#files = layout.addon(name);
    this.#server = new OwnServer(layout, name, clock);
  }

  /** Something that it depends on is about to change; if the change is cut short, the next look completes it. */
  touch(): void {
    this.#dirty = true;
    this.#backOff.end();
  }

  /**
   * Makes the server run and be as recorded; fails with the cause where it can't. A change that no server can run with
   * is undone first (`change-undone`). Absent is no longer recorded. `outgoing` is ended in any case, where it still runs.
   */
  place(load: () => Promise<Placeable | undefined>, task: Task, outgoing?: ProcessIdentity): Promise<Placed> {
    const untilStopped = this.#untilStopped(task);
    return this.#queue.add(() => this.#place(load, untilStopped, outgoing));
  }

  /** The supervisor's look: cheap while all is well, otherwise a placing, less and less often while it fails. */
  async lookAfter(load: () => Promise<Placeable | undefined>, task: Task): Promise<void> {
    if (await this.#isWell()) return;
    if (this.#backOff.lasts(this.clock.now())) return;
    const untilStopped = this.#untilStopped(task);
    await this.#queue.add(async () => {
      if (await this.#isWell()) return;
      const { known } = this.#server;
      if (known !== undefined && !(await isAlive(known))) log(`${this.name}: server ${known.pid} is gone`);
      await this.#place(load, untilStopped);
    });
  }

  /** Does something while nobody places the server. */
  alone<Result>(work: () => Promise<Result>): Promise<Result> {
    return this.#queue.add(work);
  }

  /** Stops the server, its data written down. False: none ran. */
  stop(task: Task, why: string): Promise<boolean> {
    this.#interruption.abort(new Error("its server is being stopped"));
    this.#interruption = new AbortController();
    return this.#queue.add(async () => {
      const running = await this.#server.found();
      if (running !== undefined) await this.#stop(running, await this.#recordToStop(), task);
      // An add-on whose very first record could not be written has no folder to note anything in.
      if (await this.#server.notes.exist()) await this.#server.notes.write({ state: "stopped", why });
      return running !== undefined;
    });
  }

  /** Ends the server whose data home was removed: its files are gone, so nothing is noted down. */
  abandon(): Promise<void> {
    return this.#queue.add(async () => {
      const { known } = this.#server;
      if (known !== undefined) await this.#server.endByForce(known);
    });
  }

  /** Whether there is nothing that a backup could hold: no server runs, and none has left data behind. */
  async isEmpty(): Promise<boolean> {
    if ((await this.#server.found()) !== undefined || (await findData(this.#files)) !== "nothing")
      return false;
    const { staged, replaced } = await restoreFolders(this.#files);
    return !staged && !replaced;
  }

  async #isWell(): Promise<boolean> {
    const { known } = this.#server;
    return !this.#dirty && known !== undefined && (await isAlive(known));
  }

  async #place(
    load: () => Promise<Placeable | undefined>,
    task: Task,
    outgoing?: ProcessIdentity,
  ): Promise<Placed> {
    await haltsNow(this.#server);
    // Not at the end: what is recorded while this placing is under way has to be looked at again.
    this.#dirty = false;
    let placed: Placed | undefined;
    try {
      const again = () => this.#place(load, task);
      placed = await placeServer(
        { server: this.#server, backOff: this.#backOff, load, again, outgoing },
        task,
      );
    } finally {
      if (placed === undefined) this.#dirty = true;
    }
    return placed ?? {};
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
      if (record !== undefined) return await this.#server.end(record, task);
    } catch (error) {
      // An add-on that is removed from a full disk needs nothing saved.
      const failedToSave = error instanceof Failure && error.code === "save-failed";
      if (!failedToSave || record?.removing === undefined) throw error;
    }
    await this.#server.endByForce(running);
  }

  #untilStopped(task: Task): Task {
    return { ...task, signal: AbortSignal.any([task.signal, this.#interruption.signal]) };
  }
}
