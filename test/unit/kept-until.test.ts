import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { keptUntil } from "../../provider/core/kept-until";
import { type Retainable, type Retention, retain } from "../../provider/core/retention";
import { nextSlot, type Schedule } from "../../provider/core/schedule";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.parse("2026-05-10T12:00:00Z");
const daily: Schedule = { daily: "03:00" };
const at = (instant: string, more: Partial<Retainable> = {}): Retainable => ({
  slot: Date.parse(instant),
  pinned: false,
  verification: "verified",
  ...more,
});
const until = (backups: readonly Retainable[], retention: Retention, schedule: Schedule = daily) =>
  backups
    .map(keptUntil(backups, retention, { now: NOW, schedule }))
    .map((end) => (end === undefined ? undefined : new Date(end).toISOString()));

describe("until when a backup stays", () => {
  test("is the first backup after its days", () => {
    expect(until([at("2026-05-09T03:00:00Z"), at("2026-05-10T03:00:00Z")], { days: 7 })).toEqual([
      "2026-05-17T03:00:00.000Z",
      "2026-05-18T03:00:00.000Z",
    ]);
  });

  test("is the backup that makes it one too many", () => {
    const three = [at("2026-05-08T03:00:00Z"), at("2026-05-09T03:00:00Z"), at("2026-05-10T03:00:00Z")];
    expect(until(three, { keepLast: 3 })).toEqual([
      "2026-05-11T03:00:00.000Z",
      "2026-05-12T03:00:00.000Z",
      "2026-05-13T03:00:00.000Z",
    ]);
  });

  test("is the first of the year that leaves its own out, however often there are backups", () => {
    const rarely = until([at("2026-05-10T03:00:00Z")], { yearly: 2 }, { cron: "0 0 31 12 *" });
    expect(rarely).toEqual(["2026-12-31T00:00:00.000Z"]);
    const often = until([at("2025-12-31T23:45:00Z")], { yearly: 3 }, { every: "15m" });
    expect(often).toEqual(["2028-01-01T00:00:00.000Z"]);
  });

  test("has no end where it is pinned, from the future, or the final one of an earlier add-on", () => {
    const backups = [
      at("2026-01-01T03:00:00Z", { pinned: true }),
      at("2026-05-10T13:00:00Z"),
      at("2026-04-01T03:00:00Z"),
      at("2026-05-10T03:00:00Z"),
    ];
    const createdAt = Date.parse("2026-05-01T00:00:00Z");
    const untilOf = keptUntil(backups, { days: 1 }, { now: NOW, createdAt, schedule: daily });
    expect(backups.map(untilOf)).toEqual([
      undefined,
      undefined,
      undefined,
      Date.parse("2026-05-12T03:00:00Z"),
    ]);
  });

  test("has no end where no backup comes any more", () => {
    expect(until([at("2026-05-10T03:00:00Z")], { days: 1 }, { cron: "0 0 30 2 *" })).toEqual([undefined]);
  });

  test("is told of a hundred of ten thousand", () => {
    const many = Array.from({ length: 10_000 }, (_, index) => ({
      slot: NOW - index * HOUR,
      pinned: false,
      verification: "verified" as const,
    }));
    const retention = { days: 30, keepLast: 500, daily: 365, weekly: 52, monthly: 36, yearly: 10 };
    const schedule: Schedule = { cron: "0 * * * *", timezone: "Europe/Paris" };
    const untilOf = keptUntil(many, retention, { now: NOW, schedule });
    expect(
      many
        .slice(-100)
        .map(untilOf)
        .every((end) => end !== undefined && end > NOW),
    ).toBe(true);
  });
});

const schedules: readonly Schedule[] = [
  daily,
  { daily: "00:30", timezone: "America/New_York" },
  { every: "6h" },
  { every: "36h" },
  { cron: "0 3 * * 1-5", timezone: "Europe/Paris" },
];
const count = (max: number) => fc.option(fc.integer({ min: 1, max }), { nil: undefined });
const retentions = fc
  .record({
    days: count(9),
    keepLast: count(9),
    daily: count(6),
    weekly: count(4),
    monthly: count(2),
    yearly: count(1),
    minimum: count(4),
  })
  .filter(({ minimum: _, ...rules }) => Object.values(rules).some((rule) => rule !== undefined))
  .map((rules) => Object.fromEntries(Object.entries(rules).filter(([, rule]) => rule !== undefined)));
const backupLists = fc.uniqueArray(
  fc.record({
    slot: fc.integer({ min: 0, max: 60 * 24 }).map((hours) => NOW - hours * HOUR),
    pinned: fc.constant(false),
    verification: fc.constantFrom("verified" as const, undefined, "damaged" as const),
  }),
  { selector: ({ slot }) => slot, maxLength: 25 },
);

describe("with every backup on time from now on", () => {
  test("each goes exactly then, by the rules themselves", () => {
    fc.assert(
      fc.property(
        backupLists,
        retentions,
        fc.constantFrom(...schedules),
        fc.option(fc.integer({ min: 0, max: 60 }), { nil: undefined }),
        (backups, retention, schedule, madeDaysAgo) => {
          const createdAt = madeDaysAgo === undefined ? -Infinity : NOW - madeDaysAgo * DAY;
          const told = backups.map(keptUntil(backups, retention, { now: NOW, createdAt, schedule }));
          const gone = simulated(backups, retention, schedule, createdAt);
          for (const [index, backup] of backups.entries()) {
            const end = told[index];
            const went = gone.get(backup);
            if (end === undefined || end > went.until) expect(went.at).toBeUndefined();
            else expect(new Date(went.at ?? NaN)).toEqual(new Date(end));
          }
        },
      ),
      { numRuns: 150 },
    );
  });
});

/** What goes when, if each slot is backed up, verified, and followed by a pruning. */
function simulated(
  given: readonly Retainable[],
  retention: Retention,
  schedule: Schedule,
  createdAt: number,
) {
  const gone = new Map<Retainable, number>();
  let present: Retainable[] = [...given];
  let now = NOW;
  for (let round = 0; round < 60; round++) {
    now = nextSlot(schedule, now) ?? now;
    present.push({ slot: now, pinned: false, verification: "verified" });
    for (const { backup, keep } of retain(present, retention, { now, createdAt, schedule }))
      if (!keep) gone.set(backup, now);
    present = present.filter((backup) => !gone.has(backup));
  }
  const until = now;
  return { get: (backup: Retainable) => ({ at: gone.get(backup), until }) };
}
