import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { AddonStatus, ServerState } from "../../../provider/core/status";
import { Samples, type Sample } from "../../../provider/console/watch/samples";
import { NOW, RUNNING, shownAddon } from "../../support/shown-addon";

const MINUTE_MS = 60_000;

describe("the samples of an add-on", () => {
  it("are bounded, in the order of time, and reach back a day however often they come", () => {
    fc.assert(
      fc.property(fc.integer({ min: 500, max: 20_000 }), (everyMs) => {
        const samples = new Samples();
        for (let at = 0; at < 36 * 60 * MINUTE_MS; at += everyMs)
          samples.add(NOW + at, shownAddon({ name: "a" }));
        const all = samples.since(0);
        expect(all.length).toBeLessThanOrEqual(601);
        expect(inOrder(all)).toBe(true);
        const spanMs = (all.at(-1)?.at ?? 0) - (all[0]?.at ?? 0);
        expect(spanMs).toBeGreaterThan(23 * 60 * MINUTE_MS);
        const recent = samples.since((all.at(-1)?.at ?? 0) - 30 * MINUTE_MS);
        expect(inOrder(recent)).toBe(true);
        expect(recent.length).toBeGreaterThan(85);
      }),
      { numRuns: 5 },
    );
  });

  it("stay in order whatever the clock is set to, and none is of a time that has not come", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 10 * 60 * MINUTE_MS })), (times) => {
        const samples = new Samples();
        for (const at of times) {
          samples.add(NOW + at, shownAddon({ name: "a" }));
          const all = samples.since(0);
          expect(inOrder(all)).toBe(true);
          expect(all.at(-1)?.at).toBeLessThanOrEqual(NOW + at);
        }
      }),
    );
  });

  it("tell rates of all the time since the one before, not since the last look", () => {
    const samples = new Samples();
    for (let second = 0; second <= 10; second++)
      samples.add(
        NOW + second * 1000,
        running({ evictedKeys: 7 * second, keyspaceHits: 3 * second, keyspaceMisses: second }),
      );
    expect(
      samples.since(0).map(({ evictedKeysPerSecond, hitRate }) => [evictedKeysPerSecond, hitRate]),
    ).toEqual([
      [undefined, undefined],
      [7, 0.75],
      [7, 0.75],
    ]);
  });

  it("tell no rate over a restart, a reset of the statistics, or a clock that was set back", () => {
    const before = { evictedKeys: 100, keyspaceHits: 100, keyspaceMisses: 100 };
    const rateAfter = (after: Partial<typeof RUNNING>, ms = 10_000) => {
      const samples = new Samples();
      samples.add(NOW, running(before));
      samples.add(NOW + ms, running({ ...before, ...after }));
      return samples.since(0).at(-1)?.evictedKeysPerSecond;
    };
    expect(rateAfter({})).toBe(0);
    expect(rateAfter({ pid: RUNNING.pid + 1, evictedKeys: 200 })).toBeUndefined();
    expect(rateAfter({ uptimeSeconds: 1, evictedKeys: 200 })).toBeUndefined();
    expect(rateAfter({ evictedKeys: 0, keyspaceHits: 0, keyspaceMisses: 0 })).toBeUndefined();
    expect(rateAfter({ evictedKeys: 200 }, -10_000)).toBeUndefined();
  });

  it("have a gap where the server was away, and where nobody looked", () => {
    const samples = new Samples();
    samples.add(NOW, running({}));
    samples.add(NOW + 10_000, shownAddon({ name: "a", server: { state: "stopped", why: "it ended" } }));
    samples.add(NOW + 20_000, running({}));
    samples.add(NOW + 60 * MINUTE_MS, running({}));
    expect(samples.since(0).map(({ memoryUsedBytes }) => memoryUsedBytes !== undefined)).toEqual([
      true,
      false,
      true,
      false,
      true,
    ]);
  });
});

function running(changes: Partial<Extract<ServerState, { state: "running" }>>): AddonStatus {
  return shownAddon({ name: "a", server: { ...RUNNING, ...changes } });
}

function inOrder(samples: readonly Sample[]): boolean {
  return samples.every(({ at }, i) => i === 0 || at > (samples[i - 1]?.at ?? 0));
}
