import type { AddonRecord } from "../core/facets";
import type { Clock, Task } from "../core/task";
import type { HomeIdentity } from "../core/status";
import type { ProcessIdentity } from "../system/processes";
import { readIdentity, type HomeLayout } from "../platforms/local/home";
import { recordedNames } from "../platforms/local/records";
import { ConnectionGuard } from "./connections/connection-guard";
import { closeHeld } from "./connections/held-connections";
import { log } from "./log";
import { DataMarkWatch } from "./replication/lineage/data-mark-watch";
import { FollowerWatch } from "./replication/watch/follower-watch";
import { HandOvers } from "./replication/switch-over/hand-overs";
import { LeaderLinks } from "./replication/leader/leader-links";
import type { Placed } from "./server/own-server";
import type { Placeable } from "./server/place-server";
import { ServerProcess } from "./server/server-process";

const TICK_MS = 500;
/** An add-on comes and goes with its folder, which each look sees; so long it takes to miss a record in a folder. */
const RECORDS_EVERY_MS = 4_000;

/** Keeps the server of every record running, as its record says. */
export class Supervisor {
  readonly #servers = new Map<string, ServerProcess>();
  readonly #looking = new Set<string>();
  #haveRecords: ReadonlySet<string> = new Set();
  /** When it was last looked whether each folder has its record. */
  #recordsSeenAt = Number.NEGATIVE_INFINITY;
  /** Who leads is settled before anything is placed by a record. */
  readonly handOvers: HandOvers;
  /** Placing a server anew comes with a new connection to it, and finds out whether it still runs. */
  readonly #guard = new ConnectionGuard((name) => this.touch(name));
  readonly #followers: FollowerWatch;
  readonly #marks: DataMarkWatch;
  readonly #links: LeaderLinks;
  #stopping = false;

  constructor(
    readonly layout: HomeLayout,
    readonly clock: Clock,
  ) {
    this.handOvers = new HandOvers(layout, (name) => this.touch(name));
    this.#followers = new FollowerWatch(layout, (name) => this.touch(name));
    this.#marks = new DataMarkWatch(layout, (name) => this.touch(name));
    this.#links = new LeaderLinks(layout, clock);
  }

  /** Its record, or whom it follows, is about to change: should the change be cut short, the next look completes it. */
  touch(name: string): void {
    this.#server(name).touch();
  }

  /**
   * Launches, restarts, adopts or changes the server until it answers and is as recorded; `as` tells how to read the
   * record where it is to be placed otherwise than it stands.
   */
  place(name: string, task: Task, as = (record: AddonRecord): AddonRecord => record): Promise<Placed> {
    return this.#server(name).place(async () => {
      const found = await this.#recorded(name, task);
      return found && { ...found, record: as(found.record) };
    }, task);
  }

  /** The same, once that process is ended, its data written down; another one that runs meanwhile stays. */
  restart(name: string, outgoing: ProcessIdentity, task: Task): Promise<Placed> {
    return this.#server(name).place(() => this.#recorded(name, task), task, outgoing);
  }

  /** Returns once nothing that was asked for before changes the server any more. */
  async quiet(name: string, task: Task): Promise<void> {
    await this.#server(name).place(() => Promise.resolve(undefined), task);
  }

  /** Does something while nobody places the server: after what was asked for before, and before anything else. */
  undisturbed<Result>(name: string, work: () => Promise<Result>): Promise<Result> {
    return this.#server(name).alone(work);
  }

  /** Whether nothing runs and no data are there: then there is nothing to back up. */
  isEmpty(name: string): Promise<boolean> {
    return this.#server(name).isEmpty();
  }

  /** Stops the server and forgets it. */
  async stop(name: string, task: Task, why: string): Promise<void> {
    await this.#server(name).stop(task, why);
    this.#servers.delete(name);
    await closeHeld(name);
    await this.#links.close(name);
  }

  /** Stops every server cleanly and returns the names of those that ran; where one can't be stopped, goes on as before. */
  async stopAll(task: Task): Promise<string[]> {
    const names = [...new Set([...(await recordedNames(this.layout)), ...this.#servers.keys()])];
    this.#stopping = true;
    const why = "the agent was stopped: redis-addon agent start";
    const results = await Promise.allSettled(names.map((name) => this.#server(name).stop(task, why)));
    const failed = results.find((result) => result.status === "rejected");
    if (failed !== undefined) {
      this.#stopping = false;
      throw failed.reason;
    }
    return names.filter((_, i) => results[i]?.status === "fulfilled" && results[i].value);
  }

  /**
   * Looks after all servers until the signal: adopts what runs, starts what doesn't, with back-off. Returns early where
   * the data home was removed underneath: then nothing is left to look after, and its servers are stopped.
   */
  async run(task: Task, home: HomeIdentity): Promise<"told-to" | "home-lost"> {
    while (!task.signal.aborted) {
      if ((await readIdentity(this.layout).catch(() => home))?.id !== home.id) {
        log(`${home.path} is no longer the data home ${home.id}: stopping its servers`);
        this.#stopping = true;
        await Promise.allSettled([...this.#servers.values()].map((server) => server.abandon()));
        return "home-lost";
      }
      // Not awaited: a server that takes long to load must not keep the others waiting.
      for (const name of await this.#names()) {
        void this.#lookAfter(name, task);
        if (this.#stopping) continue;
        this.#guard.look(name, task);
        this.#followers.look(name, task);
      }
      if (!this.#stopping) this.#marks.look(task);
      await this.clock.sleep(TICK_MS, task.signal).catch(() => undefined);
    }
    return "told-to";
  }

  async #names(): Promise<string[]> {
    const now = this.clock.now();
    // A clock that was set back must not stop the looks.
    const isRecent = Math.abs(now - this.#recordsSeenAt) < RECORDS_EVERY_MS;
    try {
      const names = await recordedNames(this.layout, isRecent ? this.#haveRecords : undefined);
      this.#haveRecords = new Set(names);
      if (!isRecent) this.#recordsSeenAt = now;
      return names;
    } catch (error) {
      // For a moment, as with too many open files; the next look may be luckier.
      log(String(error));
      return [];
    }
  }

  async #lookAfter(name: string, task: Task): Promise<void> {
    if (this.#stopping || this.#looking.has(name)) return;
    this.#looking.add(name);
    try {
      await this.#server(name).lookAfter(async () => {
        const found = this.#stopping ? undefined : await this.#load(name, task);
        // Half removed: whoever removes it goes on, or an update takes it back.
        return found?.record.removing === undefined ? found : undefined;
      }, task);
    } catch (error) {
      if (!task.signal.aborted) log(`${name}: ${String(error)}`);
    } finally {
      this.#looking.delete(name);
    }
  }

  #server(name: string): ServerProcess {
    const known = this.#servers.get(name);
    if (known !== undefined) return known;
    const server = new ServerProcess(this.layout, name, this.clock);
    this.#servers.set(name, server);
    return server;
  }

  async #recorded(name: string, task: Task): Promise<Placeable | undefined> {
    if (this.#stopping) throw new Error("the agent is being stopped");
    return this.#load(name, task);
  }

  async #load(name: string, task: Task): Promise<Placeable | undefined> {
    if (this.handOvers.isUnderWay(name)) return undefined;
    const record = await this.handOvers.settled(name, task);
    if (record === undefined) return undefined;
    return { record, leader: await this.#links.of(record), onPlaced: () => this.#links.settle(name) };
  }
}
