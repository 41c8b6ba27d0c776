import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "../core/task";

export const systemClock: Clock = {
  now: () => Date.now(),
  sleep: async (ms, signal) => {
    try {
      await delay(ms, undefined, signal === undefined ? {} : { signal });
    } catch (error) {
      // Node throws its own AbortError; the contract is the signal's reason, which says why.
      throw signal?.aborted === true ? signal.reason : error;
    }
  },
};
