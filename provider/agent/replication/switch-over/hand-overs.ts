import type { AddonRecord } from "../../../core/facets";
import { followed } from "../../../core/followed";
import { claimsRoleOf, withoutDemotion } from "../../../core/hand-over";
import type { Task } from "../../../core/task";
import type { HomeLayout } from "../../../platforms/local/home";
import { readRecord } from "../../../platforms/local/records";
import { log } from "../../log";
import { changeRecord } from "../../records/change-record";
import { followersOf } from "../leader/leader-of";
import { settleHandOver } from "./settle-hand-over";

/** Of a hand-over that an agent has left behind: a failover that is still under way then goes wrong. */
const ORPHAN_PATIENCE_MS = 5_000;

/** Who leads and who follows, where a switchover was begun or its RedisFollower is gone: settled before anybody acts on it. */
export class HandOvers {
  readonly #underWay = new Set<string>();
  readonly #settling = new Map<string, Promise<unknown>>();

  constructor(
    readonly layout: HomeLayout,
    readonly touch: (name: string) => void,
  ) {}

  /** Whether this agent is exchanging its role right now: until that has ended, nobody places it. */
  isUnderWay(name: string): boolean {
    return this.#underWay.has(name);
  }

  begin(names: readonly string[]): Disposable {
    for (const name of names) this.#underWay.add(name);
    return {
      [Symbol.dispose]: () => {
        for (const name of names) this.#underWay.delete(name);
      },
    };
  }

  /** The record to place, once it is known who leads; absent: there is none. Fails where that can't be known yet. */
  async settled(name: string, task: Task): Promise<AddonRecord | undefined> {
    const record = await readRecord(this.layout, name);
    if (record === undefined) return undefined;
    const giver = await this.#giverIn(record);
    if (giver !== undefined) {
      await this.#settle(giver, task);
      return readRecord(this.layout, name);
    }
    return this.#released(record);
  }

  async #giverIn(record: AddonRecord): Promise<string | undefined> {
    if (record.handingOver !== undefined) return record.name;
    const target = followed(record);
    if (target?.kind !== "addon") return undefined;
    const leader = await readRecord(this.layout, target.addon);
    return leader?.handingOver?.to === record.name ? leader.name : undefined;
  }

  async #settle(giver: string, task: Task): Promise<void> {
    const running = this.#settling.get(giver) ?? this.#settleAlone(giver, task);
    this.#settling.set(giver, running);
    try {
      await running;
    } finally {
      if (this.#settling.get(giver) === running) this.#settling.delete(giver);
    }
  }

  async #settleAlone(giver: string, task: Task): Promise<void> {
    const { handingOver } = (await readRecord(this.layout, giver)) ?? {};
    await settleHandOver(this.layout, giver, { patienceMs: ORPHAN_PATIENCE_MS, isOrphaned: true }, task);
    if (handingOver !== undefined) await this.touchAll([giver, handingOver.to]);
  }

  /** Has them and whoever follows one of them placed anew. */
  async touchAll(names: readonly string[]): Promise<void> {
    for (const name of names) {
      this.touch(name);
      for (const follower of await followersOf(this.layout, name)) this.touch(follower);
    }
  }

  /** An old leader leads again once the add-on that it gave its role to no longer says that it has it. */
  async #released(record: AddonRecord): Promise<AddonRecord | undefined> {
    const { demoted } = record;
    if (demoted === undefined) return record;
    const leader = await readRecord(this.layout, demoted.to);
    // An add-on that can't be found says nothing: whoever follows it keeps its data, and takes no writes of its own.
    if (leader === undefined || leader.createdAt !== demoted.createdAt) return record;
    if (leader.handingOver !== undefined || claimsRoleOf(leader, record.name)) return record;
    log(`${record.name}: it leads again, with the data of ${leader.name} up to here`);
    const released = await changeRecord(this.layout, record.name, withoutDemotion);
    await this.touchAll([record.name]);
    return released;
  }
}
