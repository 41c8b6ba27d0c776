import type { AddonRecord } from "../../core/facets";
import { followed } from "../../core/followed";
import type { Task } from "../../core/task";
import type { HomeLayout } from "../../platforms/local/home";
import type { RedisClient } from "../../redis/client";
import type { Info } from "../../redis/info";
import { heldConnections } from "../connections/held-connections";
import { log } from "../log";

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

  constructor(
    readonly layout: HomeLayout,
    readonly touch: (name: string) => void,
  ) {}

  /** Not awaited, and none is begun before the last one of the same add-on has ended. */
  look(name: string, task: Task): void {
    const held = heldConnections().get(name);
    if (held === undefined || this.#looking.has(name) || followed(held.record) === undefined) return;
    this.#looking.add(name);
    const { record, client } = held;
    void this.#look({ layout: this.layout, record, client, touch: () => this.touch(name) }, task)
      .catch((error: unknown) => {
        if (!task.signal.aborted) log(`${name}: its replication can't be looked at: ${String(error)}`);
      })
      .finally(() => this.#looking.delete(name));
  }

  async #look(follower: Omit<SeenFollower, "info">, _task: Task): Promise<void> {
    await follower.client.info();
  }
}
