import type { Clock } from "../core/task";
import type { HomeLayout } from "../platforms/local/home";
import { recordedNames } from "../platforms/local/records";

const IDLE_MS = 60_000;
const LOOK_EVERY_MS = 5_000;

/** When the agent was last of use: an agent that looks after nothing is a process that nobody asked for. */
export class Activity {
  #calls = 0;
  #lastAt: number;

  constructor(readonly clock: Clock) {
    this.#lastAt = clock.now();
  }

  async during<Result>(call: Promise<Result>): Promise<Result> {
    this.#calls += 1;
    try {
      return await call;
    } finally {
      this.#calls -= 1;
      this.#lastAt = this.clock.now();
    }
  }

  /** Resolves once no call is under way, or when they have been given the time to end. */
  async settled(deadlineMs: number): Promise<void> {
    const end = this.clock.now() + deadlineMs;
    while (this.#calls > 0 && this.clock.now() < end) await this.clock.sleep(20);
  }

  /** Resolves once there has been neither an add-on nor a call for a while, or with the signal. */
  async untilIdle(layout: HomeLayout, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // A home that can't be read for a moment is no home without add-ons.
      const hasAddons = await recordedNames(layout).then(
        (names) => names.length > 0,
        () => true,
      );
      if (this.#calls > 0 || hasAddons) this.#lastAt = this.clock.now();
      if (this.clock.now() - this.#lastAt >= IDLE_MS) return;
      await this.clock.sleep(LOOK_EVERY_MS, signal).catch(() => undefined);
    }
  }
}
