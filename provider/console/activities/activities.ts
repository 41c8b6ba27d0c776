import { randomUUID } from "node:crypto";
import { asFailure, Failure, type FailureReport } from "../../core/errors";
import type { Clock, Progress, Task } from "../../core/task";
import type { Html } from "../html";
import type { TABS } from "../pages/layout";

/** Of the finished ones; the oldest make room. */
const KEPT = 200;
/** Of those that run or wait; more are refused. */
const MOST_AT_ONCE = 50;

/** What came of an activity. */
export interface ActivityResult {
  /** Each a sentence without a full stop. */
  readonly words: readonly string[];
  /** What should be known of it nonetheless, each a sentence without a full stop. */
  readonly warnings?: readonly string[];
  /** What one may want next. */
  readonly links?: readonly { readonly href: string; readonly text: string }[];
  /** Shown below them, on the activity's own page. */
  readonly more?: Html;
}

/** What somebody started from a page, and how it goes or went. */
export interface Activity {
  readonly id: string;
  readonly addon: string;
  /** Of the add-on's pages the one that it was begun in, and where it is shown. */
  readonly tab: keyof typeof TABS;
  /** In the infinitive, the add-on's name follows: `back up`, `verify backup 20260101T000000000Z of`. */
  readonly title: string;
  /** What becomes of it where this console ends before it has, one sentence. */
  readonly ifConsoleEnds: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly endedAt?: string;
  readonly progress?: Progress;
  readonly state:
    | { readonly kind: "running" }
    | ({ readonly kind: "done" } & ActivityResult)
    | { readonly kind: "failed"; readonly report: FailureReport };
}

export interface NewActivity extends Pick<Activity, "addon" | "tab" | "title" | "ifConsoleEnds"> {
  /** Activities of one lane take turns, whichever add-on they are of; absent: it starts at once. */
  readonly lane?: string;
}

/**
 * Long operations outlive the request that started them: who looks at the page sees how far they are. They end with the
 * console, which remembers none that an earlier one has seen.
 */
export interface Activities {
  /**
   * Starts it and returns at once; one of the same add-on and title that runs is joined instead. Fails with
   * `too-many-activities`.
   */
  start(activity: NewActivity, work: (task: Task) => Promise<ActivityResult>): Activity;
  /** Of one add-on, the newest first. */
  of(addon: string): readonly Activity[];
  one(id: string): Activity | undefined;
}

export function activities(clock: Clock, signal: AbortSignal): Activities {
  const known = new Map<string, Activity>();
  const lanes = new Map<string, Promise<void>>();
  const change = (id: string, part: Partial<Activity>): void => {
    const present = known.get(id);
    if (present !== undefined) known.set(id, { ...present, ...part });
  };
  const now = (): string => new Date(clock.now()).toISOString();
  return {
    start({ lane, ...about }, work) {
      const present = [...known.values()].filter(isRunning);
      const same = present.find(({ addon, title }) => addon === about.addon && title === about.title);
      if (same !== undefined) return same;
      if (present.length >= MOST_AT_ONCE) throw tooMany(about);
      const activity: Activity = {
        ...about,
        id: randomUUID(),
        startedAt: now(),
        state: { kind: "running" },
      };
      const { id, title, addon } = activity;
      known.set(id, activity);
      const task: Task = { clock, signal, progress: (progress) => change(id, { progress }) };
      const earlier = lane === undefined ? undefined : lanes.get(lane);
      const perform = async (): Promise<ActivityResult> => {
        if (earlier !== undefined) {
          task.progress({ message: "waiting for others of its kind to end" });
          await earlier;
        }
        signal.throwIfAborted();
        task.progress({ message: "starting" });
        return work(task);
      };
      const run = async (): Promise<void> => {
        try {
          change(id, { state: { kind: "done", ...(await perform()) }, endedAt: now() });
        } catch (error) {
          const report = asFailure(error, title, addon).report();
          change(id, { state: { kind: "failed", report }, endedAt: now() });
        }
        forgetOldest(known);
      };
      const running = run();
      if (lane !== undefined) lanes.set(lane, running);
      return activity;
    },
    of: (addon) => [...known.values()].filter((each) => each.addon === addon).toReversed(),
    one: (id) => known.get(id),
  };
}

/** As a line or a heading begins: `Back up cache`. */
export function activityWords({ title, addon }: Pick<Activity, "title" | "addon">): string {
  return `${title.charAt(0).toUpperCase()}${title.slice(1)} ${addon}`;
}

export function isRunning({ state }: Activity): boolean {
  return state.kind === "running";
}

function forgetOldest(known: Map<string, Activity>): void {
  const ended = [...known.values()]
    .filter((each) => !isRunning(each))
    .sort((a, b) => (a.endedAt ?? "").localeCompare(b.endedAt ?? ""));
  for (const { id } of ended.slice(0, Math.max(0, ended.length - KEPT))) known.delete(id);
}

function tooMany({ title, addon }: NewActivity): Failure {
  return new Failure({
    code: "too-many-activities",
    operation: title,
    subject: addon,
    cause: `this console has ${MOST_AT_ONCE} things under way already`,
    hint: "Try again once some of them have ended",
    transient: true,
  });
}
