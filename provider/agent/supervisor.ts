import type { AddonRecord } from "../core/facets";
import type { LeaderAddress } from "../core/render";
import { REPLICA_USER } from "../core/access";
import { reachableHost } from "../core/settings";
import type { Clock, Task } from "../core/task";
import type { HomeLayout } from "../platforms/local/home";
import { readRecord, recordedNames } from "../platforms/local/records";
import { log } from "./log";
import { ServerProcess } from "./server-process";

const TICK_MS = 500;

/** Keeps the server of every record running, as its record says. */
export class Supervisor {
  readonly #servers = new Map<string, ServerProcess>();
  #stopping = false;

  constructor(
    readonly layout: HomeLayout,
    readonly clock: Clock,
  ) {}

  /** Launches, restarts, adopts or changes the server until it answers and is as recorded. */
  async place(record: AddonRecord, task: Task): Promise<void> {
    await this.#server(record.name).place(record, await this.#leaderOf(record), task);
  }

  /** Stops the server and forgets it. */
  async stop(record: AddonRecord, task: Task): Promise<void> {
    await this.#server(record.name).stop(task, `the add-on is being removed`);
    this.#servers.delete(record.name);
  }

  /** Stops every server cleanly; returns the names of those that ran. */
  async stopAll(task: Task): Promise<string[]> {
    this.#stopping = true;
    const names = await recordedNames(this.layout);
    const stopped = await Promise.all(
      names.map(async (name) =>
        (await this.#server(name).stop(task, "the agent was stopped: redis-addon agent start"))
          ? name
          : undefined,
      ),
    );
    return stopped.filter((name) => name !== undefined);
  }

  /** Looks after all servers until the signal: adopts what runs, starts what doesn't, with back-off. */
  async run(task: Task): Promise<void> {
    while (!task.signal.aborted) {
      await Promise.all((await recordedNames(this.layout)).map((name) => this.#lookAfter(name, task)));
      await this.clock.sleep(TICK_MS, task.signal).catch(() => undefined);
    }
  }

  async #lookAfter(name: string, task: Task): Promise<void> {
    if (this.#stopping) return;
    try {
      await this.#server(name).lookAfter(async () => {
        const record = await readRecord(this.layout, name);
        if (record === undefined || record.removing !== undefined) return undefined;
        return { record, leader: await this.#leaderOf(record) };
      }, task);
    } catch (error) {
      if (!task.signal.aborted) log(`${name}: ${String(error)}`);
    }
  }

  #server(name: string): ServerProcess {
    const known = this.#servers.get(name);
    if (known !== undefined) return known;
    const server = new ServerProcess(this.layout, name, this.clock);
    this.#servers.set(name, server);
    return server;
  }

  async #leaderOf(record: AddonRecord): Promise<LeaderAddress | undefined> {
    const wish = record.replication?.wish;
    if (wish === undefined || wish.kind === "external") return wish;
    const leader = await readRecord(this.layout, wish.addon);
    if (leader === undefined) return undefined;
    return {
      host: reachableHost(leader.server.wish.bind),
      port: leader.server.wish.port,
      username: REPLICA_USER,
      password: leader.credentials.replicaPassword,
    };
  }
}
