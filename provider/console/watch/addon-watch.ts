import { Failure } from "../../core/errors";
import type { AddonStatus } from "../../core/status";
import type { Task } from "../../core/task";
import { inspect, inspectAll } from "../../operations/inspect";
import type { Platform } from "../../platforms/contract";

/** What was seen of all add-ons at one moment. */
export interface Seen {
  readonly addons: readonly AddonStatus[];
  /** Add-ons whose record can't be read. */
  readonly unreadable: readonly Failure[];
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
}

/** One moment of one add-on; absent where its server did not answer, or has no such figure. */
export interface Sample {
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly memoryUsedBytes?: number;
  readonly operationsPerSecond?: number;
  readonly connections?: number;
  /** Of the lookups since the sample before; between 0 and 1. */
  readonly hitRate?: number;
  /** Since the sample before. */
  readonly evictedKeys?: number;
  readonly lagBytes?: number;
}

/** Looks at all add-ons again and again, so that a page of many is there at once. */
export interface AddonWatch {
  all(task: Task): Promise<Seen>;
  /** Looked at now. */
  one(name: string, task: Task): Promise<AddonStatus | undefined>;
  /** Oldest first. */
  samples(name: string): readonly Sample[];
  /** Goes on until the signal. */
  run(task: Task): Promise<void>;
}

export function addonWatch(platform: Platform): AddonWatch {
  return {
    async all(task) {
      const unreadable: Failure[] = [];
      const addons = await inspectAll(platform, task, (failure) => unreadable.push(failure));
      return { addons, unreadable, at: task.clock.now() };
    },
    one: (name, task) => inspect(platform, name, task),
    samples: () => [],
    run: () => Promise.resolve(),
  };
}
