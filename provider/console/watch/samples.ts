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
  readonly evictedKeys?: number;
  readonly lagBytes?: number;
}

/** Half an hour at 5 s, a day at 2 min 24 s: what a plot can show. */
const KEPT = [
  { everyMs: 0, most: 360 },
  { everyMs: 144_000, most: 600 },
] as const;

/** What is kept of one add-on: the last ones as they came, and fewer of the time before. */
export class Samples {
  readonly #rings: Sample[][] = KEPT.map(() => []);
  #before: AddonStatus["server"] | undefined;

  add(at: number, status: AddonStatus): void {
    const sample = sampleOf(at, status, this.#before);
    this.#before = status.server;
    for (const [i, { everyMs, most }] of KEPT.entries()) {
      const ring = this.#rings[i] ?? [];
      const last = ring.at(-1);
      // A clock that was set back makes no gap until it is where it was.
      if (last !== undefined && at >= last.at && at - last.at < everyMs) continue;
      ring.push(sample);
      if (ring.length > most) ring.shift();
    }
  }

  /** Oldest first; the recent ones close together. */
  all(): readonly Sample[] {
    const [recent = [], older = []] = this.#rings;
    const since = recent[0]?.at ?? Number.POSITIVE_INFINITY;
    return [...older.filter(({ at }) => at < since), ...recent];
  }
}

export function sampleOf(
  at: number,
  { server, replication }: AddonStatus,
  before: AddonStatus["server"] | undefined,
): Sample {
  if (server.state !== "running") return { at };
  const lagBytes = replication.role === "follower" ? replication.sync.lagBytes : undefined;
  return {
    at,
    memoryUsedBytes: server.memoryUsedBytes,
    operationsPerSecond: server.operationsPerSecond,
    connections: server.connections,
    ...(lagBytes === undefined ? {} : { lagBytes }),
    ...sinceThen(server, before),
  };
}

type Running = Extract<AddonStatus["server"], { state: "running" }>;

function sinceThen(
  server: Running,
  before: AddonStatus["server"] | undefined,
): Pick<Sample, "hitRate" | "evictedKeys"> {
  // A restarted server counts from zero, and so does one whose statistics were reset.
  if (before?.state !== "running" || before.pid !== server.pid) return {};
  const hits = server.keyspaceHits - before.keyspaceHits;
  const misses = server.keyspaceMisses - before.keyspaceMisses;
  const evictedKeys = server.evictedKeys - before.evictedKeys;
  if (hits < 0 || misses < 0 || evictedKeys < 0) return {};
  return { evictedKeys, ...(hits + misses === 0 ? {} : { hitRate: hits / (hits + misses) }) };
}
