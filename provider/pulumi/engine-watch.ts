import type { Clock } from "../core/task";
import type { EngineConnection } from "./engine-connection";

/** How long a lost connection may take to come back before the engine counts as gone. */
const RECONNECT_MS = 3000;
/** How long what still runs gets to notice that it was aborted. */
const GRACE_MS = 5000;

/**
 * Calls `whenGone` once the engine of this process has disappeared.
 *
 * The engine ends its providers itself, except when it was killed: then nothing would ever end this process, and an
 * operation under way would go on beside the next run's. Its parent is a shell that outlives the engine, so the
 * connection is the only witness. One that never came about proves nothing and is left alone.
 */
export function watchEngine(connection: EngineConnection, clock: Clock, whenGone: () => void): void {
  const { client, ready } = connection;
  const wait = (deadline: number, connected: () => void, failed: () => void) =>
    client.waitForReady(deadline, (error) =>
      error === undefined || error === null ? connected() : failed(),
    );
  const untilLost = () =>
    client.getChannel().watchConnectivityState(ready, Infinity, () => {
      wait(clock.now() + RECONNECT_MS, untilLost, whenGone);
    });
  wait(Infinity, untilLost, () => undefined);
}

/** What runs in this process, so that its end can be awaited, for a while, before the process exits. */
export class Activity {
  readonly #running = new Set<Promise<unknown>>();
  readonly #gone = new AbortController();

  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  async during<Result>(run: () => Promise<Result>): Promise<Result> {
    const running = run();
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  /** Aborts everything and returns once it has ended, or has been given the time to. */
  async end(reason: Error, clock: Clock): Promise<void> {
    this.#gone.abort(reason);
    await Promise.race([Promise.allSettled(this.#running), clock.sleep(GRACE_MS)]);
  }
}
