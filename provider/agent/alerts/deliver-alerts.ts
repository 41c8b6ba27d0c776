import type { AddonRecord } from "../../core/facets";
import type { Clock } from "../../core/task";
import { log } from "../log";
import { receiverOf, type AlertNotes } from "./alert-notes";
import { originOf, postAlert, Undelivered } from "./post-alert";

/** Between the attempts of one round. */
const PAUSES_MS = [1_000, 4_000];
/** Of looks, which come each few seconds: about an hour. */
const MOST_SKIPPED = 720;

type Addon = Pick<AddonRecord, "name" | "createdAt">;

/** Delivers what is noted for one add-on after another, beside everything else. */
export interface Deliveries {
  /** Begins to, unless that is under way or the receiver did not answer lately. Call it at each look. */
  begin(addon: Addon, webhook: string): void;
  /** Ends once nothing is under way. */
  settled(): Promise<void>;
}

/**
 * An alert counts as delivered once its receiver has said so; until then each look tries again, after pauses that grow
 * with each round that failed. They are counted in looks: a clock that jumps must not put alerts off.
 */
export function deliveries(notes: AlertNotes, clock: Clock, signal: AbortSignal): Deliveries {
  const underWay = new Map<string, Promise<void>>();
  const rounds = new Map<string, { failed: number; toSkip: number }>();

  async function deliver(addon: Addon, webhook: string): Promise<void> {
    const { name } = addon;
    const next = () => notes.next(addon, receiverOf(webhook));
    for (let alert = next(); alert !== undefined; alert = next()) {
      const { id, event } = alert;
      const why = await patiently(() => postAlert(webhook, alert, signal));
      if (why !== undefined) {
        const failed = (rounds.get(name)?.failed ?? 0) + 1;
        rounds.set(name, { failed, toSkip: Math.min(MOST_SKIPPED, 2 ** (failed - 1)) });
        log(`${name}: ${event} was not delivered to ${originOf(webhook)}: ${why}`);
        return;
      }
      rounds.delete(name);
      await notes.change(addon, ({ undelivered, ...note }) => ({
        ...note,
        undelivered: undelivered.filter((other) => other.id !== id),
      }));
      // Only now: whoever reads it may rely on it that nobody is told again.
      log(`${name}: ${event} was delivered to ${originOf(webhook)}`);
    }
  }

  /** Why it failed the last time; absent: it worked. */
  async function patiently(work: () => Promise<void>): Promise<string | undefined> {
    for (const pauseMs of PAUSES_MS) {
      if ((await attempt(work)) === undefined) return undefined;
      await clock.sleep(pauseMs, signal);
    }
    return attempt(work);
  }

  return {
    begin: (addon, webhook) => {
      const { name } = addon;
      if (underWay.has(name)) return;
      const round = rounds.get(name);
      if (round !== undefined && round.toSkip > 0) {
        round.toSkip -= 1;
        return;
      }
      const delivery = deliver(addon, webhook)
        // An agent that leaves leaves the rest to its successor.
        .catch((error: unknown) => {
          if (!signal.aborted) log(`${name}: alerts: ${String(error)}`);
        })
        .finally(() => underWay.delete(name));
      underWay.set(name, delivery);
    },
    settled: async () => {
      await Promise.all(underWay.values());
    },
  };
}

/** Why it did not arrive; absent: it did. */
async function attempt(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof Undelivered) return error.message;
    throw error;
  }
}
