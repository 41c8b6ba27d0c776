import type { AddonStatus } from "../../core/status";

/** One moment of one add-on; a figure is absent where its server did not answer, or has no such figure. */
export interface Sample {
  /** Milliseconds since the Unix epoch. */
  readonly at: number;
  readonly memoryUsedBytes?: number;
  readonly operationsPerSecond?: number;
  readonly connections?: number;
  /** Of the lookups since the sample before, between 0 and 1; absent where there were none. */
  readonly hitRate?: number;
  /** Since the sample before. */
  readonly evictedKeysPerSecond?: number;
  readonly lagBytes?: number;
}

/** Half an hour at 5 s, a day at 2 min 24 s: what a plot can show. */
const KEPT = [
  { everyMs: 5_000, most: 360 },
  { everyMs: 144_000, most: 600 },
] as const;
/** A plot that lacks so little at its left end lacks nothing that anybody looks for. */
const ENOUGH = 0.9;
/** Longer than the pause between two looks: what was in between nobody saw. */
const UNSEEN_MS = 120_000;

/** What is kept of one add-on: the last ones as they came, and fewer of the time before. */
export class Samples {
  readonly #rings = KEPT.map((bounds) => new Ring(bounds));

  add(at: number, status: AddonStatus): void {
    for (const ring of this.#rings) ring.add(at, status);
  }

  /** Those since then, oldest first, as close together as so long a time is worth. */
  since(from: number): readonly Sample[] {
    const [recent = [], older = []] = this.#rings.map(({ samples }) => samples);
    const [first, oldest, last] = [recent[0]?.at, older[0]?.at, recent.at(-1)?.at];
    if (first === undefined || oldest === undefined || last === undefined) return [];
    // Those of the day reach further back; where that matters, all are of them, so that none are denser than others.
    const covers = oldest >= first || last - first >= (last - from) * ENOUGH;
    const until = older.at(-1)?.at ?? oldest;
    const shown = covers ? recent : [...older, ...recent.filter(({ at }) => at > until).slice(-1)];
    return shown.filter(({ at }) => at >= from);
  }
}

class Ring {
  samples: Sample[] = [];
  readonly #everyMs: number;
  readonly #most: number;
  /** What the newest one was made of: figures since then are of all the time in between. */
  #before: Moment | undefined;

  constructor({ everyMs, most }: (typeof KEPT)[number]) {
    this.#everyMs = everyMs;
    this.#most = most;
  }

  add(at: number, status: AddonStatus): void {
    // The clock was set back: what was measured at a time that has not come has no place in a plot.
    if ((this.samples.at(-1)?.at ?? at) > at) this.samples = this.samples.filter((sample) => sample.at < at);
    const last = this.samples.at(-1);
    if (last !== undefined && at - last.at < this.#everyMs) return;
    if (last !== undefined && at - last.at > this.#everyMs + UNSEEN_MS)
      this.samples.push({ at: last.at + 1 });
    this.samples.push(sampleOf(at, status, this.#before));
    this.samples.splice(0, this.samples.length - this.#most);
    this.#before = { at, server: status.server };
  }
}

interface Moment {
  readonly at: number;
  readonly server: AddonStatus["server"];
}

function sampleOf(at: number, { server, replication }: AddonStatus, before: Moment | undefined): Sample {
  if (server.state !== "running") return { at };
  const lagBytes = replication.role === "follower" ? replication.sync.lagBytes : undefined;
  return {
    at,
    memoryUsedBytes: server.memoryUsedBytes,
    operationsPerSecond: server.operationsPerSecond,
    connections: server.connections,
    ...(lagBytes === undefined ? {} : { lagBytes }),
    ...sinceThen(at, server, before),
  };
}

type Running = Extract<AddonStatus["server"], { state: "running" }>;

function sinceThen(
  at: number,
  server: Running,
  before: Moment | undefined,
): Pick<Sample, "hitRate" | "evictedKeysPerSecond"> {
  if (before?.server.state !== "running" || before.at >= at) return {};
  const then = before.server;
  // A restarted server counts from zero, and so does one whose statistics were reset.
  if (then.pid !== server.pid || server.uptimeSeconds < then.uptimeSeconds) return {};
  const hits = server.keyspaceHits - then.keyspaceHits;
  const misses = server.keyspaceMisses - then.keyspaceMisses;
  const evicted = server.evictedKeys - then.evictedKeys;
  if (hits < 0 || misses < 0 || evicted < 0) return {};
  const evictedKeysPerSecond = evicted / ((at - before.at) / 1000);
  return { evictedKeysPerSecond, ...(hits + misses === 0 ? {} : { hitRate: hits / (hits + misses) }) };
}
