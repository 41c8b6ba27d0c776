import type { Clock } from "../core/task";

export interface RetryPolicy {
  /** How often it is tried in all. */
  readonly attempts: number;
  /** The longest wait before the second attempt; it doubles with each further one. */
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
  /** No attempt begins later than this after the first. */
  readonly deadlineMs: number;
}

export interface RetryTools {
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly isTransient: (error: unknown) => boolean;
}

/** Does something that may have to be done several times; throws the last attempt's error. */
export type Retry = <T>(attempt: () => Promise<T>, signal: AbortSignal) => Promise<T>;

/**
 * Tries again what failed for a moment, with full jitter: each wait is anything from nothing to its longest, so that
 * those whom one outage stopped don't all come back at once
 * (https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter).
 */
export function retrying(policy: RetryPolicy, { clock, random, isTransient }: RetryTools): Retry {
  return async (attempt, signal) => {
    const giveUpAt = clock.now() + policy.deadlineMs;
    for (let tried = 1; ; tried++) {
      signal.throwIfAborted();
      try {
        return await attempt();
      } catch (error) {
        signal.throwIfAborted();
        if (tried >= policy.attempts || !isTransient(error)) throw error;
        const waitMs = random() * longestWaitMs(policy, tried);
        if (clock.now() + waitMs > giveUpAt) throw error;
        await clock.sleep(waitMs, signal);
      }
    }
  };
}

/** The longest wait after so many attempts. */
export function longestWaitMs(
  { firstDelayMs, longestDelayMs }: Pick<RetryPolicy, "firstDelayMs" | "longestDelayMs">,
  tried: number,
): number {
  return Math.min(longestDelayMs, firstDelayMs * 2 ** (tried - 1));
}
