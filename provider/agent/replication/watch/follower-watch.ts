import type { AddonRecord } from "../../../core/facets";
import { followed } from "../../../core/followed";
import type { Task } from "../../../core/task";
import type { HomeLayout } from "../../../platforms/local/home";
import type { RedisClient } from "../../../redis/client";
import type { Info } from "../../../redis/info";
import { heldConnections } from "../../connections/held-connections";
import { log } from "../../log";
import { stopFailingLoads } from "./failed-loads";
import { LeaderGuard } from "../guard/leader-guard";
import { SyncNotes } from "./sync-notes";

/** One look at a follower's server. */
export interface SeenFollower {
  readonly layout: HomeLayout;
  readonly record: AddonRecord;
  /** The administrator's. */
  readonly client: RedisClient;
  readonly info: Info;
  /** Has it placed anew at the next look. */
  readonly touch: () => void;
}

/** Looks at the followers of this data home while their agent runs. */
export class FollowerWatch {
  readonly #looking = new Set<string>();
  readonly #guard = new LeaderGuard();
  readonly #notes: SyncNotes;

  constructor(
    readonly layout: HomeLayout,
    readonly touch: (name: string) => void,
  ) {
    this.#notes = new SyncNotes(layout);
  }

  /** Not awaited, and none is begun before the last one of the same add-on has ended. */
  look(name: string, task: Task): void {
    const held = heldConnections().get(name);
    if (this.#looking.has(name)) return;
    this.#looking.add(name);
    void this.#looked(name, held, task)
      .catch((error: unknown) => {
        if (!task.signal.aborted) log(`${name}: its replication can't be looked at: ${String(error)}`);
      })
      .finally(() => this.#looking.delete(name));
  }

  #looked(
    name: string,
    held: Pick<SeenFollower, "record" | "client"> | undefined,
    task: Task,
  ): Promise<void> {
    if (held === undefined) return this.#notes.lost(name, task.clock);
    if (followed(held.record) === undefined) return this.#notes.leads(name);
    return this.#look({ ...held, layout: this.layout, touch: () => this.touch(name) }, task);
  }

  async #look(follower: Omit<SeenFollower, "info">, task: Task): Promise<void> {
    const info = await follower.client.info().catch(async (error: unknown) => {
      await this.#notes.lost(follower.record.name, task.clock);
      throw error;
    });
    const seen = { ...follower, info };
    if (await stopFailingLoads(seen, task)) return;
    await this.#notes.look(seen, task);
    await this.#guard.look(seen, task);
  }
}
