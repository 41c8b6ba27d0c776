import type { Task } from "../../../core/task";
import { readDataMark, type DataMark } from "../../../platforms/local/data-mark";
import type { HomeLayout } from "../../../platforms/local/home";
import type { RedisClient } from "../../../redis/client";
import { isSet, numberIn, totalKeys } from "../../../redis/info";
import { heldConnections } from "../../connections/held-connections";
import { log } from "../../log";
import { changeDataMark, forgetDataMark, isTrusted } from "./data-mark";
import { dataOnDisk } from "./data-on-disk";
import { followersHere } from "../leader/followers";
import { continues, positionOf } from "./mark-data";

/**
 * What was seen at one look is marked at the next: by then it is on the disk, so that a power failure, which costs an
 * AOF that is forced to the disk each second up to two seconds of writes, never leaves less than is marked.
 */
const EVERY_MS = 4_000;

type Seen = NonNullable<DataMark["seen"]>;

/** Marks how far the data of leaders go while others of this data home follow them. */
export class DataMarkWatch {
  /** By add-on: seen at the last look, and not marked yet. */
  readonly #fresh = new Map<string, Seen>();
  #lookedAt = Number.NEGATIVE_INFINITY;
  #isLooking = false;

  constructor(
    readonly layout: HomeLayout,
    /** Has an add-on placed anew at the next look. */
    readonly touch: (name: string) => void,
  ) {}

  /** Call it as often as you like. Not awaited, and none is begun before the last one has ended. */
  look(task: Task): void {
    const now = task.clock.now();
    // A clock that was set back must not stop the looks.
    if (this.#isLooking || (now >= this.#lookedAt && now - this.#lookedAt < EVERY_MS)) return;
    this.#lookedAt = now;
    this.#isLooking = true;
    void this.#lookAtAll(task)
      .catch((error: unknown) => {
        if (!task.signal.aborted) log(`how far leaders' data go can't be noted: ${String(error)}`);
      })
      .finally(() => {
        this.#isLooking = false;
      });
  }

  async #lookAtAll(task: Task): Promise<void> {
    const { byLeader, complete } = await followersHere(this.layout);
    for (const [name, { client }] of heldConnections()) {
      if (byLeader.has(name))
        // What keeps one from being looked at passes, or its status says so: its server has ended or is held up.
        await this.#look(name, client, task).catch(() => undefined);
      else if (complete) await this.#forget(name);
    }
  }

  async #look(name: string, client: RedisClient, task: Task): Promise<void> {
    const files = this.layout.addon(name);
    const known = await readDataMark(files);
    const last = this.#fresh.get(name) ?? known?.seen;
    const found = await dataOnDisk(files, last?.position);
    // Asked afterwards: as it answers, it was the one who kept what was found.
    const info = await client.info();
    if (!isTrusted(known) || isSet(info, "loading")) {
      this.#fresh.delete(name);
      return;
    }
    const position = isSet(info, "aof_enabled") ? positionOf(found) : ({ lie: "memory" } as const);
    if (position === undefined) return;
    const isContinued = position.lie === "memory" || last === undefined || continues(last, found);
    const at = new Date(task.clock.now()).toISOString();
    const seen: Seen = { at, position, keys: totalKeys(info) };
    // Exchanged under the server that runs: what is marked stays, and its next launch is judged by that.
    if (!isContinued && known?.seen !== undefined) this.#fresh.delete(name);
    else if (isContinued && isWaitingForDisk(position, numberIn(info, "aof_pending_bio_fsync"))) return;
    else {
      const due = isContinued ? this.#fresh.get(name) : undefined;
      this.#fresh.set(name, seen);
      if (due !== undefined)
        await changeDataMark(files, (mark) => (isTrusted(mark) && isNews(mark, due) ? { seen: due } : mark));
    }
  }

  async #forget(name: string): Promise<void> {
    this.#fresh.delete(name);
    const files = this.layout.addon(name);
    const known = await readDataMark(files);
    if (known === undefined) return;
    await forgetDataMark(files);
    if (isTrusted(known)) return;
    log(`${name}: no add-on follows it any more`);
    this.touch(name);
  }
}

function isWaitingForDisk({ lie }: Seen["position"], pendingFsyncs: number | undefined): boolean {
  return lie === "aof" && (pendingFsyncs ?? 0) > 0;
}

function isNews(mark: DataMark | undefined, { position, keys }: Seen): boolean {
  const { seen } = mark ?? {};
  return JSON.stringify([seen?.position, seen?.keys]) !== JSON.stringify([position, keys]);
}
