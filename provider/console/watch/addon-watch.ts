import type { Failure } from "../../core/errors";
import type { AddonStatus } from "../../core/status";
import type { Clock, Task } from "../../core/task";
import { inspect, inspectEach } from "../../operations/inspect";
import type { Platform } from "../../platforms/contract";
import { log } from "../../system/log";
import { heldConnections } from "./held-connections";
import { Samples, type Sample } from "./samples";

/** What was last seen of all add-ons. */
export interface Seen {
  /** By name. */
  readonly addons: readonly AddonStatus[];
  /** Of add-ons whose record can't be read. */
  readonly unreadable: readonly Failure[];
  /** Those that have not answered yet since the console started. */
  readonly pending: readonly string[];
  /** When the last look at all of them ended, in milliseconds since the Unix epoch; absent: the first is under way. */
  readonly at: number | undefined;
}

/** Looks at all add-ons again and again, so that a page of many is there at once. */
export interface AddonWatch {
  /** As last seen; waits only until there is something to show. */
  all(task: Task): Promise<Seen>;
  /** Looked at now. */
  one(name: string, task: Task): Promise<AddonStatus | undefined>;
  /** Oldest first. */
  samples(name: string): readonly Sample[];
}

/** While somebody looks at pages, and otherwise: samples are all that is needed then. */
const LOOK_EVERY_MS = 2_000;
const REST_EVERY_MS = 10_000;
const WATCHED_FOR_MS = 30_000;
/** Of the time, at most, that looking takes: so many add-ons are looked at less often. */
const SHARE_WATCHED = 0.25;
const SHARE_AT_REST = 0.05;
/** A server that hangs must not keep a page of the others waiting. */
const FIRST_LOOK_MS = 800;

/** Goes on until the signal. */
export function addonWatch(platform: Platform, clock: Clock, signal: AbortSignal): AddonWatch {
  const connections = heldConnections(clock, signal);
  const statuses = new Map<string, AddonStatus>();
  const samples = new Map<string, Samples>();
  let unreadable: readonly Failure[] = [];
  let lookedAt: number | undefined;
  let watchedAt = Number.NEGATIVE_INFINITY;
  let wake = new AbortController();

  const look = async (task: Task): Promise<void> => {
    const names = new Set(await platform.names());
    for (const kept of [statuses, samples])
      for (const name of kept.keys()) if (!names.has(name)) kept.delete(name);
    await connections.keepOnly(names);
    const failures: Failure[] = [];
    const seen = (status: AddonStatus): void => {
      statuses.set(status.name, status);
      const kept = samples.get(status.name) ?? new Samples();
      samples.set(status.name, kept);
      kept.add(clock.now(), status);
    };
    const lookout = { seen, unreadable: (failure: Failure) => failures.push(failure) };
    await inspectEach(platform, lookout, task, connections.connect);
    for (const { subject } of failures) statuses.delete(subject);
    unreadable = failures;
    lookedAt = clock.now();
  };
  const isWatched = () => clock.now() - watchedAt < WATCHED_FOR_MS;
  const run = async (): Promise<void> => {
    const task: Task = { clock, signal, progress: () => undefined };
    while (!signal.aborted) {
      const startedAt = clock.now();
      await look(task).catch((error: unknown) => {
        if (!signal.aborted) log(`console: ${String(error)}`);
      });
      const tookMs = Math.max(0, clock.now() - startedAt);
      const [everyMs, share] = isWatched() ? [LOOK_EVERY_MS, SHARE_WATCHED] : [REST_EVERY_MS, SHARE_AT_REST];
      wake = new AbortController();
      const either = AbortSignal.any([signal, wake.signal]);
      await clock.sleep(Math.max(everyMs - tookMs, tookMs / share), either).catch(() => undefined);
    }
    await connections[Symbol.asyncDispose]();
  };
  const firstLook = run();
  firstLook.catch((error: unknown) => log(`console: ${String(error)}`));

  return {
    async all(task) {
      // Whoever comes back after a while sees what is, not what was.
      if (!isWatched()) wake.abort();
      watchedAt = clock.now();
      for (let waitedMs = 0; lookedAt === undefined && waitedMs < FIRST_LOOK_MS; waitedMs += 20)
        await clock.sleep(20, task.signal);
      const names = lookedAt === undefined ? await platform.names() : [];
      return {
        addons: [...statuses.values()].toSorted((a, b) => (a.name < b.name ? -1 : 1)),
        unreadable,
        pending: names.filter((name) => !statuses.has(name)),
        at: lookedAt,
      };
    },
    one: (name, task) => {
      watchedAt = clock.now();
      return inspect(platform, name, task, connections.connect);
    },
    samples: (name) => samples.get(name)?.all() ?? [],
  };
}
