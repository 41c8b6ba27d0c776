import type { Failure } from "../../core/errors";

const LONGEST_MS = 30_000;
const FIRST_MS = 500;

/** How long nobody looks at a server that could not be placed: longer with each failure. */
export class BackOff {
  #failures = 0;
  #retryAt = 0;

  /** Something has changed: the next look is worth it. */
  end(): void {
    this.#retryAt = 0;
  }

  failed({ code }: Failure, now: number): void {
    // Whether a port is free is looked at without starting anything: no need to look less and less often.
    this.#failures = code === "port-taken" ? 0 : this.#failures + 1;
    this.#retryAt = now + Math.min(LONGEST_MS, FIRST_MS * 2 ** this.#failures);
  }

  succeeded(): void {
    this.#failures = 0;
  }

  lasts(now: number): boolean {
    const pause = this.#retryAt - now;
    // A clock that was set back must not make the pause longer than it was meant.
    return pause > 0 && pause <= LONGEST_MS;
  }
}
