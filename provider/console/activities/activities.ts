import { randomUUID } from "node:crypto";
import { asFailure, type FailureReport } from "../../core/errors";
import type { Clock, Progress, Task } from "../../core/task";

/** Of the finished ones; the oldest make room. */
const KEPT = 200;

/** What somebody started from a page, and how it goes or went. */
export interface Activity {
  readonly id: string;
  readonly addon: string;
  /** `back up`, `verify backup 20260101T000000000Z`. */
  readonly title: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly progress?: Progress;
  readonly state:
    | { readonly kind: "running" }
    /** What came of it, each a sentence. */
    | { readonly kind: "done"; readonly words: readonly string[] }
    | { readonly kind: "failed"; readonly report: FailureReport };
}

/** Long operations outlive the request that started them: who looks at the page sees how far they are. */
export interface Activities {
  /** Starts it and returns at once. `work` returns what came of it, each a sentence. */
  start(
    activity: { readonly addon: string; readonly title: string },
    work: (task: Task) => Promise<readonly string[]>,
  ): Activity;
  /** Of one add-on, the newest first. */
  of(addon: string): readonly Activity[];
  one(id: string): Activity | undefined;
}

export function activities(clock: Clock, signal: AbortSignal): Activities {
  const known = new Map<string, Activity>();
  const change = (id: string, part: Partial<Activity>): void => {
    const present = known.get(id);
    if (present !== undefined) known.set(id, { ...present, ...part });
  };
  const now = () => new Date(clock.now()).toISOString();
  return {
    start({ addon, title }, work) {
      const id = randomUUID();
      const activity: Activity = { id, addon, title, startedAt: now(), state: { kind: "running" } };
      known.set(id, activity);
      forgetOldest(known);
      const task: Task = { clock, signal, progress: (progress) => change(id, { progress }) };
      work(task).then(
        (words) => change(id, { state: { kind: "done", words }, endedAt: now() }),
        (error: unknown) => {
          const report = asFailure(error, title, addon).report();
          change(id, { state: { kind: "failed", report }, endedAt: now() });
        },
      );
      return activity;
    },
    of: (addon) => [...known.values()].filter((each) => each.addon === addon).toReversed(),
    one: (id) => known.get(id),
  };
}

function forgetOldest(known: Map<string, Activity>): void {
  const ended = [...known.values()].filter(({ state }) => state.kind !== "running");
  for (const { id } of ended.slice(0, Math.max(0, ended.length - KEPT))) known.delete(id);
}
