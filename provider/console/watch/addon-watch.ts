import { asFailure, type Failure } from "../../core/errors";
import type { AddonStatus } from "../../core/status";
import type { Clock, Task } from "../../core/task";
import { inspect, inspectEach } from "../../operations/inspect";
import { readOnce } from "../../operations/inspect/read-once";
import type { Platform } from "../../platforms/contract";
import { log } from "../../system/log";
import { heldConnections } from "./held-connections";
import { Samples, type Sample } from "./samples";

/** What was last seen of all add-ons. */
export interface Seen {
  /** By name. */
  readonly addons: readonly AddonStatus[];
  /** Of add-ons that can't be looked at, such as those whose record can't be read. */
  readonly unreadable: readonly Failure[];
  /** Those that have not answered yet since the console started. */
  readonly pending: readonly string[];
  /** When the last look at all of them ended, in milliseconds since the Unix epoch; absent: the first is under way. */
  readonly at: number | undefined;
}

/** Looks at all add-ons again and again, so that a page of many is there at once. */
export interface AddonWatch {
  /** As last seen; waits only until there is something to show, or for a moment where nobody has looked for a while. */
  all(task: Task): Promise<Seen>;
  /** Looked at now. */
  one(name: string, task: Task): Promise<AddonStatus | undefined>;
  /** Since then, in milliseconds since the Unix epoch; oldest first. */
  samples(name: string, from: number): readonly Sample[];
}

/** While somebody looks at pages, and otherwise: samples are all that is needed then. */
const LOOK_EVERY_MS = 2_000;
const REST_EVERY_MS = 10_000;
const WATCHED_FOR_MS = 30_000;
/** Of a core, at most, that looking takes: so many add-ons are looked at less often. */
const SHARE_WATCHED = 0.25;
const SHARE_AT_REST = 0.05;
/** A server that hangs must not keep a page of the others waiting. */
const PATIENCE_MS = 400;

/** Goes on until the signal. `cpuMs`: the time that this process has computed for so far, in milliseconds. */
export function addonWatch(
  platform: Platform,
  clock: Clock,
  signal: AbortSignal,
  cpuMs: () => number = ownCpuMs,
): AddonWatch {
  const connections = heldConnections(clock, signal);
  const statuses = new Map<string, AddonStatus>();
  const samples = new Map<string, Samples>();
  let unreadable: readonly Failure[] = [];
  let lookedAt: number | undefined;
  let watchedAt = Number.NEGATIVE_INFINITY;
  let wake = new AbortController();
  let looked = Promise.withResolvers<void>();

  const look = async (task: Task): Promise<void> => {
    const once = readOnce(platform);
    const names = new Set(await once.names());
    for (const kept of [statuses, samples])
      for (const name of kept.keys()) if (!names.has(name)) kept.delete(name);
    connections.keepOnly(names);
    const failures = new Map<string, Failure>();
    const seen = (status: AddonStatus): void => {
      statuses.set(status.name, status);
      const kept = samples.get(status.name) ?? new Samples();
      samples.set(status.name, kept);
      kept.add(clock.now(), status);
    };
    const lookout = { seen, unreadable: (failure: Failure, name: string) => failures.set(name, failure) };
    await inspectEach(once, lookout, task, connections.connect);
    for (const name of failures.keys()) statuses.delete(name);
    unreadable = [...failures.values()];
    lookedAt = clock.now();
  };
  let told = "";
  const failed = (error: unknown): void => {
    const why = error === undefined ? "" : asFailure(error, "look at", "the add-ons").message;
    // Said once, not each time.
    if (why !== "" && why !== told && !signal.aborted) log(`console: ${why}`);
    told = why;
  };
  // A clock that was set back makes nobody look for hours.
  const isWatched = () => Math.abs(clock.now() - watchedAt) < WATCHED_FOR_MS;
  const run = async (): Promise<void> => {
    const task: Task = { clock, signal, progress: () => undefined };
    while (!signal.aborted) {
      const [startedAt, cpuBefore] = [clock.now(), cpuMs()];
      await look(task).then(() => failed(undefined), failed);
      looked.resolve();
      looked = Promise.withResolvers();
      const tookMs = Math.max(0, clock.now() - startedAt);
      const computedMs = cpuMs() - cpuBefore;
      const [everyMs, share] = isWatched() ? [LOOK_EVERY_MS, SHARE_WATCHED] : [REST_EVERY_MS, SHARE_AT_REST];
      wake = new AbortController();
      // Waiting for a server that hangs costs nothing: the others are looked at as often as before.
      const pauseMs = Math.max(everyMs - tookMs, computedMs / share);
      await clock.sleep(pauseMs, AbortSignal.any([signal, wake.signal])).catch(() => undefined);
    }
    await connections[Symbol.asyncDispose]();
  };
  run().catch((error: unknown) => log(`console: ${String(error)}`));

  return {
    async all(task) {
      const isBack = !isWatched();
      watchedAt = clock.now();
      if (lookedAt === undefined || isBack) {
        // Whoever comes back after a while sees what is, not what was.
        wake.abort();
        await Promise.race([looked.promise, clock.sleep(PATIENCE_MS, task.signal)]);
      }
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
    samples: (name, from) => samples.get(name)?.since(from) ?? [],
  };
}

/** Of all its threads. */
function ownCpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}
