import { asFailure } from "../../core/errors";
import type { Task } from "../../core/task";
import type { RedisClient } from "../client";
import { rightTo } from "./try-rights";

/** It lapses by itself soon after whoever holds it is gone, whatever happens to us. */
const PAUSE_MS = 10_000;
const RENEW_EVERY_MS = 2_500;

export interface HeldWrites extends AsyncDisposable {
  /** Absent: no write came through since it began. */
  lapsed(): string | undefined;
}

/**
 * Has a server's writers wait: none of their writes is lost, each is answered once they go on. Undefined where the user
 * may not do that. Disposing it lets them go on; they do so by themselves seconds after the connection has ended.
 */
export async function holdWrites(client: RedisClient, task: Task): Promise<HeldWrites | undefined> {
  const pause = () => rightTo(client, "CLIENT", "PAUSE", String(PAUSE_MS), "WRITE");
  if ((await pause()) !== "yes") return undefined;
  const released = new AbortController();
  const signal = AbortSignal.any([task.signal, released.signal]);
  let problem: string | undefined;
  const renewing = (async () => {
    try {
      for (;;) {
        await task.clock.sleep(RENEW_EVERY_MS, signal);
        const askedAt = task.clock.now();
        await pause();
        if (task.clock.now() - askedAt > PAUSE_MS - RENEW_EVERY_MS) problem = "it was too slow to be held";
      }
    } catch (error) {
      if (!signal.aborted) problem = asFailure(error, "hold the writes of", client.subject).cause;
    }
  })();
  return {
    lapsed: () => problem,
    async [Symbol.asyncDispose]() {
      if (released.signal.aborted) return;
      released.abort();
      await renewing;
      // What can't be told any more lapses.
      await client.command("CLIENT", "UNPAUSE").catch(() => undefined);
    },
  };
}
