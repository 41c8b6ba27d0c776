import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { linePath, type Point } from "../../../provider/console/plots/points";
import { plot } from "../../../provider/console/plots/plot";
import { readoutOf } from "../../../provider/console/plots/readout";
import { sparkline } from "../../../provider/console/plots/sparkline";
import { niceSteps, timeSteps } from "../../../provider/console/plots/steps";

const HOUR_MS = 3_600_000;
const NOW = Date.parse("2026-05-01T12:00:00Z");
const value = fc.option(fc.double({ min: 0, max: 1e15, noNaN: true }), { nil: undefined });
const points = fc
  .array(fc.tuple(fc.integer({ min: 0, max: HOUR_MS }), value), { maxLength: 40 })
  .map((pairs): Point[] => pairs.map(([ms, value]) => ({ at: NOW - ms, value })).sort((a, b) => a.at - b.at));
const counting = fc.constantFrom("decimal", "binary");

describe("the lines of a plot", () => {
  it("cover the largest value, from zero, in a few equal steps", () => {
    fc.assert(
      fc.property(fc.double({ min: 0, max: 1e15, noNaN: true }), counting, (most, counting) => {
        const steps = niceSteps(most, counting);
        expect(steps[0]).toBe(0);
        expect(steps.at(-1)).toBeGreaterThanOrEqual(most);
        expect(steps.length).toBeGreaterThanOrEqual(2);
        expect(steps.length).toBeLessThanOrEqual(5);
        for (const step of steps) expect(Number.isFinite(step)).toBe(true);
        expect(new Set(steps).size).toBe(steps.length);
      }),
    );
  });

  it("stand at round moments between both ends, not too many", () => {
    fc.assert(
      fc.property(fc.integer({ min: 60_000, max: 400 * 24 * HOUR_MS }), (span) => {
        const steps = timeSteps(NOW - span, NOW);
        expect(steps.length).toBeLessThanOrEqual(16);
        expect(steps.length).toBeGreaterThanOrEqual(1);
        for (const step of steps) {
          expect(step).toBeGreaterThanOrEqual(NOW - span);
          expect(step).toBeLessThanOrEqual(NOW);
          expect(step % 60_000).toBe(0);
        }
      }),
    );
  });
});

describe("the line through values", () => {
  const frame = { from: NOW - HOUR_MS, to: NOW, most: 100, width: 600, height: 150 };

  it("ends where a value is missing and begins again after it", () => {
    const at = (minutes: number, value: number | undefined) => ({ at: NOW - minutes * 60_000, value });
    const path = linePath([at(50, 1), at(40, 2), at(30, undefined), at(20, 3), at(10, undefined)], frame);
    expect(path.match(/M/g)).toHaveLength(2);
    expect(path).toMatch(/^M[\d.]+ [\d.]+L[\d.]+ [\d.]+M[\d.]+ [\d.]+h2$/);
    expect(linePath([], frame)).toBe("");
    expect(linePath([at(1, undefined)], frame)).toBe("");
  });

  it("is made of numbers within the frame, also of one point, no range and zeros alone", () => {
    fc.assert(
      fc.property(points, fc.boolean(), (points, isFlat) => {
        const most = isFlat ? 0 : Math.max(0, ...points.map(({ value }) => value ?? 0));
        const shown = isFlat ? points.map((point) => ({ ...point, value: 0 })) : points;
        for (const each of [frame, { ...frame, from: NOW, to: NOW }]) {
          const path = linePath(shown, { ...each, most });
          expect(path).not.toMatch(/NaN|Infinity|undefined|e/);
          const heights = [...path.matchAll(/ ([\d.-]+)/g)].map(([, y]) => Number(y));
          for (const y of heights) {
            expect(y).toBeGreaterThanOrEqual(0);
            expect(y).toBeLessThanOrEqual(150);
          }
        }
      }),
    );
  });
});

describe("what a plot reads out", () => {
  const frame = { from: NOW - HOUR_MS, to: NOW, most: 100, width: 600, height: 150 };
  const linesOf = (points: readonly Point[]) =>
    readoutOf({ points, frame, words: (at, value) => `${at}: ${value}` }).split("\n");

  it("is each known moment where it is drawn, the newest of them last", () => {
    const points = [
      { at: NOW - HOUR_MS, value: 0 },
      { at: NOW - HOUR_MS / 2, value: undefined },
      { at: NOW, value: 100 },
    ];
    expect(linesOf(points)).toEqual([`0.0 150.0 ${NOW - HOUR_MS}: 0`, `600.0 0.0 ${NOW}: 100`]);
    expect(linesOf([])).toEqual([""]);
  });

  it("is so many moments at most, also of a day of samples", () => {
    const many = Array.from({ length: 600 }, (_, i) => ({ at: NOW - (599 - i) * 5_000, value: i % 100 }));
    const lines = linesOf(many);
    expect(lines.length).toBeLessThanOrEqual(180);
    expect(lines.length).toBeGreaterThan(100);
    expect(lines.at(-1)).toContain(`${NOW}: `);
  });
});

describe("a plot", () => {
  it("says in words what it shows, and never NaN, whatever was measured", async () => {
    await fc.assert(
      fc.asyncProperty(points, counting, fc.boolean(), async (points, counting, isLine) => {
        const html = String(
          await plot({
            ...{ title: "Memory", id: "memory", points, from: NOW - HOUR_MS, to: NOW, counting },
            ...{ words: (value) => `${value.toFixed(0)} B`, drawn: isLine ? "line" : "bars" },
            limit: { value: 1e9, words: "the plan's limit is 1 GB" },
          }),
        );
        expect(html).not.toMatch(/NaN|Infinity|undefined/);
        expect(html.includes("<svg")).toBe(points.some(({ value }) => value !== undefined));
        expect(String(await sparkline({ label: "Lag", points }))).not.toMatch(/NaN|Infinity|undefined/);
      }),
      { numRuns: 50 },
    );
  });
});
