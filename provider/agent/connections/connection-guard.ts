import { planOf } from "../../core/plans";
import type { Task } from "../../core/task";
import type { RedisClient } from "../../redis/client";
import { closeExcess } from "../../redis/excess-clients";
import { closeHeld, heldConnections, isLost } from "./held-connections";
import { log } from "../log";

/** Short against how often a follower tries again: once a second. */
const SHORTEST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 500;
/** Of the pauses to the looks: listing many connections takes the server's time, and ours. */
const PAUSES_PER_LOOK = 3;
/** How long one that has just connected may take to log in where places are scarce; one of ours may be a slow process. */
const LOGIN_MS = 250;
/** Of its plan's connections: a server with fewer is looked at at each fourth look alone. */
const FAR_FROM_FULL = 0.5;
const LOOKS_TO_SKIP = 3;
/** Clients that come back at once, and are closed again, would fill the log. */
const SAY_EVERY_MS = 60_000;

/** Turns away users above their plan's connections, so that there is room for administration, followers and backups. */
export class ConnectionGuard {
  readonly #looking = new Set<string>();
  /** The looks to skip. They are counted, as a clock may be set back. */
  readonly #resting = new Map<string, number>();
  readonly #closed = new Map<string, { count: number; saidAt: number }>();

  constructor(
    /** The connection to this add-on's server has ended; whoever hears of it sees to a new one. */
    readonly onLost: (name: string) => void,
  ) {}

  /**
   * A look at one server, for as long as it has too many. Not awaited, and none is begun before the last one has ended:
   * a server that is paused or held up answers late.
   */
  look(name: string, task: Task): void {
    const held = heldConnections().get(name);
    if (held === undefined || this.#looking.has(name)) return;
    const toSkip = this.#resting.get(name) ?? 0;
    if (toSkip > 0) {
      this.#resting.set(name, toSkip - 1);
      return;
    }
    this.#looking.add(name);
    void this.#thinOut(name, held.client, task)
      .catch(async (error: unknown) => {
        // What else it may answer passes: it is loading, a script holds it up.
        if (!isLost(error) || heldConnections().get(name)?.client !== held.client) return;
        await closeHeld(name);
        this.onLost(name);
      })
      .finally(() => this.#looking.delete(name));
  }

  async #thinOut(name: string, client: RedisClient, task: Task): Promise<void> {
    let knownUpTo = 0;
    let newest: { readonly id: number; forMs: number } | undefined;
    while (!task.signal.aborted) {
      const startedAt = task.clock.now();
      // Read anew: a change of the plan comes in between.
      const record = heldConnections().get(name)?.record;
      if (record === undefined) return;
      const allowed = planOf(record.server.wish.plan).connections;
      const seen = await closeExcess(client, { allowed, knownUpTo });
      this.#tell(name, seen.closed, allowed, task);
      if (seen.connected < allowed * FAR_FROM_FULL) this.#resting.set(name, LOOKS_TO_SKIP);
      if (!seen.lookAgain) return;

      const wantedMs = PAUSES_PER_LOOK * (task.clock.now() - startedAt);
      const pauseMs = Math.min(LONGEST_PAUSE_MS, Math.max(SHORTEST_PAUSE_MS, wantedMs));
      await task.clock.sleep(pauseMs, task.signal);
      newest ??= { id: seen.newestId, forMs: 0 };
      newest.forMs += pauseMs;
      if (newest.forMs < LOGIN_MS) continue;
      knownUpTo = newest.id;
      newest = undefined;
    }
  }

  #tell(name: string, closed: number, allowed: number, { clock }: Task): void {
    const { count, saidAt } = this.#closed.get(name) ?? { count: 0, saidAt: -Infinity };
    const total = count + closed;
    const now = clock.now();
    // A clock that was set back must not silence it.
    if (total === 0 || Math.abs(now - saidAt) < SAY_EVERY_MS) {
      if (closed > 0) this.#closed.set(name, { count: total, saidAt });
      return;
    }
    log(`${name}: closed the newest ${total} of its users' connections: its plan allows ${allowed}`);
    this.#closed.set(name, { count: 0, saidAt: now });
  }
}
