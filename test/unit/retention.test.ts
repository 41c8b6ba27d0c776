import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { VERIFICATION_OUTCOMES, type VerificationOutcome } from "../../provider/core/verification";
import { type Retention, RetentionSchema, type Retainable, retain } from "../../provider/core/retention";
import { keptByModel } from "./retention-model";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.parse("2026-05-10T12:00:00Z");
const aged = (days: number, pinned = false): Retainable => ({ slot: NOW - days * DAY, pinned });
const found = (days: number, verification: VerificationOutcome): Retainable => ({
  ...aged(days),
  verification,
});
const at = (...instants: readonly string[]): Retainable[] =>
  instants.map((instant) => ({ slot: Date.parse(instant), pinned: false }));
const kept = (backups: readonly Retainable[], retention: Retention, now = NOW) =>
  retain(backups, retention, { now }).map(({ keep }) => keep);

describe("what a retention may be", () => {
  test.each([
    { days: 7 },
    { keepLast: 3 },
    { days: 1, keepLast: 1, minimum: 5 },
    { daily: 7, weekly: 4, monthly: 12, yearly: 3 },
    { yearly: 1 },
  ])("%j is one", (retention) => {
    expect(RetentionSchema.parse(retention)).toEqual(retention);
  });

  test.each([
    [{}, /\{ days: 7 \}, \{ keepLast: 10 \}, or several rules/],
    [{ minimum: 2 }, /say how long/],
    [{ days: 0 }, /whole number of days, at least 1/],
    [{ days: 1.5 }, /whole number of days/],
    [{ keepLast: -1 }, /whole number of backups/],
    [{ weekly: 0 }, /whole number of weeks/],
    [{ days: "7" }, /whole number of days/],
    [{ days: 7, weeks: 1 }, /weeks/],
  ])("%j is none, and it says why", (input, message) => {
    expect(RetentionSchema.safeParse(input).error?.message).toMatch(message);
  });
});

describe("what is kept", () => {
  test("is what is younger than the days, with its reasons", () => {
    expect(retain([aged(0.5), aged(7), aged(7.001)], { days: 7, minimum: 1 }, { now: NOW })).toEqual([
      { backup: aged(0.5), keep: true, reasons: ["at most 7 days old", "the newest"] },
      { backup: aged(7), keep: true, reasons: ["at most 7 days old"] },
      { backup: aged(7.001), keep: false, reasons: ["older than 7 days"] },
    ]);
  });

  test("is what either rule wants", () => {
    const both = { days: 7, keepLast: 2, minimum: 1 };
    expect(kept([aged(1), aged(20), aged(30)], both)).toEqual([true, true, false]);
    expect(retain([aged(30), aged(1), aged(2)], both, { now: NOW })[0]?.reasons).toEqual([
      "older than 7 days",
      "not among the last 2",
    ]);
  });

  test("is the newest, however old, and as many as the minimum says", () => {
    expect(kept([aged(100), aged(101)], { keepLast: 1 })).toEqual([true, false]);
    expect(kept([aged(100), aged(101)], { days: 7 })).toEqual([true, false]);
    expect(kept([aged(100), aged(101), aged(102)], { days: 7, minimum: 2 })).toEqual([true, true, false]);
    expect(retain([aged(8), aged(9)], { days: 7, minimum: 2 }, { now: NOW })[1]?.reasons).toEqual([
      "among the 2 that always stay",
    ]);
  });

  test("is what is pinned or being restored", () => {
    const restored = { ...aged(100), held: true };
    expect(kept([aged(1), aged(99, true), restored], { days: 7 })).toEqual([true, true, true]);
    expect(retain([aged(1), restored], { days: 7 }, { now: NOW })[1]?.reasons).toEqual(["being restored"]);
  });

  test("is what is dated in the future, which does not count as the newest", () => {
    expect(kept([aged(-1), aged(100), aged(101)], { keepLast: 1 })).toEqual([true, true, false]);
  });

  test("is the newest verified one, however old, beside the newest of all", () => {
    const backups = [found(50, "verified"), found(40, "verified"), aged(30), found(20, "structure-checked")];
    const verdicts = retain(backups, { keepLast: 1 }, { now: NOW });
    expect(verdicts.map(({ keep }) => keep)).toEqual([false, true, false, true]);
    expect(verdicts[1]?.reasons).toEqual(["the newest verified"]);
    expect(verdicts[3]?.reasons).toEqual(["among the last 1", "the newest"]);
  });

  test("is no damaged one at a good one's expense: it goes by age, or with the place that it has among the last", () => {
    const backups = [aged(50), aged(40), found(35, "damaged"), aged(30), found(20, "damaged")];
    expect(kept(backups, { keepLast: 2 })).toEqual([false, true, true, true, true]);
    const byDays = retain(backups, { days: 7, minimum: 2 }, { now: NOW });
    expect(byDays.map(({ keep }) => keep)).toEqual([false, true, false, true, false]);
    expect(byDays[4]?.reasons).toEqual([
      "older than 7 days",
      "damaged, so it is not among those that always stay",
    ]);
    expect(kept([found(3, "damaged")], { days: 7 })).toEqual([true]);
  });
});

describe("of an earlier add-on of the name", () => {
  const createdAt = NOW - 30 * DAY;
  const judged = (backups: readonly Retainable[], retention: Retention) =>
    retain(backups, retention, { now: NOW, createdAt });

  test("what the rules no longer want goes, except for its final backup", () => {
    const backups = [
      found(300, "verified"),
      found(40, "verified"),
      aged(35),
      found(30, "verified"),
      aged(10),
    ];
    const verdicts = judged(backups, { keepLast: 1 });
    expect(verdicts.map(({ keep }) => keep)).toEqual([false, true, false, true, true]);
    expect(verdicts[1]?.reasons).toEqual(["the final one of an earlier add-on of this name"]);
    expect(verdicts[3]?.reasons).toEqual(["the newest verified"]);
  });

  test("the newest that is not damaged is its final backup where nothing of it was verified", () => {
    const backups = [aged(60), aged(50), found(40, "damaged"), aged(10)];
    expect(judged(backups, { days: 7 }).map(({ keep }) => keep)).toEqual([false, true, false, true]);
  });

  test("nothing is, where the add-on was made by a clock that was ahead", () => {
    const verdicts = retain([aged(2), aged(1)], { keepLast: 1 }, { now: NOW, createdAt: NOW + 365 * DAY });
    expect(verdicts.map(({ keep }) => keep)).toEqual([false, true]);
  });
});

describe("the calendar's rules keep", () => {
  test("the newest of each of the last days that have one, however long ago they are", () => {
    const backups = at(
      "2026-04-01T23:00:00Z",
      "2026-04-20T01:00:00Z",
      "2026-04-20T22:00:00Z",
      "2026-05-09T03:00:00Z",
      "2026-05-10T03:00:00Z",
      "2026-05-10T09:00:00Z",
    );
    const verdicts = retain(backups, { daily: 3 }, { now: NOW });
    expect(verdicts.map(({ keep }) => keep)).toEqual([false, false, true, true, false, true]);
    expect(verdicts.map(({ reasons }) => reasons[0])).toEqual([
      "not the newest of one of the last 3 days (daily)",
      "not the newest of one of the last 3 days (daily)",
      "the newest of 2026-04-20 (daily)",
      "the newest of 2026-05-09 (daily)",
      "not the newest of one of the last 3 days (daily)",
      "the newest of 2026-05-10 (daily)",
    ]);
  });

  test("the newest of ISO weeks, which begin on Monday and belong to the year of their Thursday", () => {
    const backups = at(
      "2020-12-27T12:00:00Z",
      "2020-12-28T12:00:00Z",
      "2021-01-03T12:00:00Z",
      "2021-01-04T12:00:00Z",
      "2024-12-30T12:00:00Z",
      "2025-12-29T12:00:00Z",
    );
    const reasons = retain(backups, { weekly: 9 }, { now: NOW }).map((verdict) => verdict.reasons[0]);
    expect(reasons).toEqual([
      "the newest of 2020-W52 (weekly)",
      "not the newest of one of the last 9 weeks (weekly)",
      "the newest of 2020-W53 (weekly)",
      "the newest of 2021-W01 (weekly)",
      "the newest of 2025-W01 (weekly)",
      "the newest of 2026-W01 (weekly)",
    ]);
  });

  test("the newest of months and years, and a backup may stand for several", () => {
    const backups = at("2024-12-31T23:59:59Z", "2025-03-01T00:00:00Z", "2026-05-01T00:00:00Z");
    const verdicts = retain(backups, { monthly: 2, yearly: 3 }, { now: NOW });
    expect(verdicts.map(({ reasons }) => reasons)).toEqual([
      ["the newest of 2024 (yearly)"],
      ["the newest of 2025-03 (monthly)", "the newest of 2025 (yearly)"],
      ["the newest of 2026-05 (monthly)", "the newest of 2026 (yearly)", "the newest"],
    ]);
  });

  test("days as the schedule's time zone has them, those of 23 and 25 hours included", () => {
    const schedule = { daily: "03:30", timezone: "Europe/Paris" };
    const paris = (instants: readonly string[]) =>
      retain(at(...instants), { daily: 2 }, { now: NOW, schedule }).map(({ keep }) => keep);
    // 2025-10-26 began at 22:00 and ended at 23:00 UTC; 2026-03-29 began at 23:00 and ended at 22:00.
    expect(paris(["2025-10-25T21:59:00Z", "2025-10-25T22:00:00Z", "2025-10-26T22:59:00Z"])).toEqual([
      true,
      false,
      true,
    ]);
    expect(paris(["2026-03-28T23:00:00Z", "2026-03-29T21:59:00Z", "2026-03-29T22:00:00Z"])).toEqual([
      false,
      true,
      true,
    ]);
    const utc = retain(at("2026-03-28T23:00:00Z", "2026-03-29T21:59:00Z"), { daily: 2 }, { now: NOW });
    expect(utc.map(({ keep }) => keep)).toEqual([true, true]);
  });

  test("no damaged one: the newest good one stands for its day, and a day without is not counted", () => {
    const backups = [
      found(3, "damaged"),
      found(2.1, "verified"),
      found(2, "damaged"),
      found(1, "damaged"),
      aged(0.1),
    ];
    expect(kept(backups, { daily: 2 })).toEqual([false, true, false, false, true]);
  });
});

describe("after a gap that is longer than the schedule's and two hours", () => {
  const schedule = { every: "6h" };
  const judged = (backups: readonly Retainable[], retention: Retention, now = NOW) =>
    retain(backups, retention, { now, schedule });

  test("nothing from before it goes because of its age for a day, whatever the clock says", () => {
    const before = [aged(3), aged(2), aged(1)];
    const nine = NOW + 9 * 365 * DAY;
    const taken = { slot: nine, pinned: false };
    const verdicts = judged([...before, taken], { days: 1 }, nine);
    expect(verdicts.map(({ keep }) => keep)).toEqual([true, true, true, true]);
    expect(verdicts[0]?.reasons).toEqual([
      "older than 1 day, but there was none from 20260509T120000000Z until 20350508T120000000Z",
    ]);
    const since = [0, 6, 12, 18, 24].map((hours) => ({ slot: nine + hours * HOUR, pinned: false }));
    const dayLater = judged([...before, ...since], { days: 1 }, nine + DAY + 1);
    expect(dayLater.map(({ keep }) => keep)).toEqual([false, false, false, false, true, true, true, true]);
  });

  test("a gap that still lasts protects as well, and says so", () => {
    const verdicts = judged([aged(9), aged(8)], { days: 7 });
    expect(verdicts.map(({ keep }) => keep)).toEqual([true, true]);
    expect(verdicts[0]?.reasons[0]).toBe(
      "older than 7 days, but there was none from 20260502T120000000Z until now",
    );
  });

  test("what lies behind it goes by the other rules, and what lies before it by its age", () => {
    const times = [
      aged(9),
      aged(8.8),
      aged(1.5),
      aged(1.3),
      aged(0.9),
      aged(0.7),
      aged(0.5),
      aged(0.3),
      aged(0.1),
    ];
    expect(judged(times, { keepLast: 2 }).map(({ keep }) => keep)).toEqual([
      ...Array<boolean>(7).fill(false),
      true,
      true,
    ]);
    // The gap from 1.3 to 0.9 days ago is over for less than a day, that from 8.8 to 1.5 no longer counts by itself.
    const byDays = judged(times, { days: 1 }).map(({ keep }) => keep);
    expect(byDays).toEqual(Array<boolean>(9).fill(true));
    expect(judged(times.slice(0, 3), { days: 1 }, NOW - 1.5 * DAY).map(({ keep }) => keep)).toEqual([
      true,
      true,
      true,
    ]);
  });

  test("a backup that is two hours late is no gap, nor is any where nothing is scheduled", () => {
    const hourly = [aged(3), ...Array.from({ length: 9 }, (_, i) => aged(8 / 3 - i / 3)), aged(0)];
    expect(judged(hourly, { days: 1 })[0]).toMatchObject({ keep: false });
    expect(retain([aged(9), aged(0)], { days: 7 }, { now: NOW })[0]).toMatchObject({ keep: false });
  });
});

describe("whatever there is", () => {
  /** Before and after changes of the clocks, and about the ends of ISO years of 52 and 53 weeks. */
  const nows = fc.constantFrom(
    NOW,
    ...["2026-10-26T03:00:00Z", "2026-03-30T00:30:00Z", "2027-01-05T12:00:00Z", "2025-01-03T23:30:00Z"].map(
      (iso) => Date.parse(iso),
    ),
  );
  const ages = fc.oneof(
    fc.integer({ min: -48, max: 96 }),
    fc.integer({ min: 0, max: 60 * 24 }),
    fc.integer({ min: 0, max: 900 * 24 }),
  );
  const listed = fc.uniqueArray(
    fc.record({
      ageHours: ages,
      pinned: fc.constantFrom(false, false, false, true),
      held: fc.constantFrom(false, false, false, true),
      verification: fc.option(fc.constantFrom(...VERIFICATION_OUTCOMES), { nil: undefined }),
    }),
    { selector: ({ ageHours }) => ageHours, maxLength: 30 },
  );
  const backupsAt = (
    all: readonly ({ readonly ageHours: number } & Omit<Retainable, "slot">)[],
    now: number,
  ) => all.map(({ ageHours, ...rest }): Retainable => ({ slot: now - ageHours * HOUR, ...rest }));
  const count = fc.integer({ min: 1, max: 12 });
  const rules = { days: count, keepLast: count, daily: count, weekly: count, monthly: count, yearly: count };
  const retentions = fc
    .record({ ...rules, minimum: count }, { requiredKeys: [] })
    .filter((retention) => RetentionSchema.safeParse(retention).success) as fc.Arbitrary<Retention>;
  const schedules = fc.constantFrom(
    undefined,
    { schedule: { every: "6h" }, longestGapHours: 6 },
    { schedule: { daily: "00:30" }, longestGapHours: 24 },
    { schedule: { daily: "03:30", timezone: "Europe/Paris" }, longestGapHours: 25 },
    { schedule: { cron: "15 4 * * *", timezone: "Asia/Kathmandu" }, longestGapHours: 24 },
    { schedule: { cron: "0 0 * * *", timezone: "America/New_York" }, longestGapHours: 25 },
  );
  /** Of the add-on, in hours; below 0 it was made when the clock was ahead. */
  const addonAges = fc.option(fc.integer({ min: -50, max: 1500 }), { nil: undefined });

  test("what stays is what a model that counts one by one keeps", () => {
    fc.assert(
      fc.property(listed, retentions, schedules, addonAges, nows, (all, retention, given, addonAge, now) => {
        const backups = backupsAt(all, now);
        const createdAt = addonAge === undefined ? undefined : now - addonAge * HOUR;
        const judging = {
          now,
          schedule: given?.schedule,
          ...(createdAt === undefined ? {} : { createdAt }),
        };
        const verdicts = retain(backups, retention, judging);
        const model = keptByModel(backups, retention, { ...given, createdAt, now });
        expect(verdicts.map(({ keep }) => keep)).toEqual(model);
        for (const { reasons } of verdicts) expect(reasons).not.toHaveLength(0);
      }),
      { numRuns: 1_000 },
    );
  });

  test("as many good ones stay as without the damaged ones", () => {
    fc.assert(
      fc.property(listed, retentions, (all, retention) => {
        const isGood = ({ verification }: Retainable) => verification !== "damaged";
        const keptGood = (list: Retainable[]) =>
          retain(list, retention, { now: NOW }).flatMap(({ backup, keep }) =>
            keep && isGood(backup) ? [backup] : [],
          );
        const backups = backupsAt(all, NOW);
        expect(keptGood(backups)).toEqual(keptGood(backups.filter(isGood)));
      }),
    );
  });

  test("the order of the listing makes no difference", () => {
    fc.assert(
      fc.property(listed, retentions, schedules, addonAges, (all, retention, given, addonAge = 0) => {
        const judging = { now: NOW, schedule: given?.schedule, createdAt: NOW - addonAge * HOUR };
        const removed = (list: Retainable[]) =>
          retain(list, retention, judging)
            .filter(({ keep }) => !keep)
            .map(({ backup }) => backup.slot)
            .sort((a, b) => a - b);
        const backups = backupsAt(all, NOW);
        expect(removed(backups.toReversed())).toEqual(removed(backups));
      }),
    );
  });

  test("nothing that was removed would have been wanted later, and what stays once removed all is as it was", () => {
    fc.assert(
      fc.property(listed, retentions, fc.nat(20), (all, retention, days) => {
        const past = backupsAt(all, NOW).filter(({ slot }) => slot <= NOW);
        const now = retain(past, retention, { now: NOW });
        const later = retain(past, retention, { now: NOW + days * DAY });
        now.forEach(({ keep }, index) => {
          if (!keep) expect(later[index]?.keep).toBe(false);
        });
        const left = now.filter(({ keep }) => keep).map(({ backup }) => backup);
        expect(retain(left, retention, { now: NOW }).every(({ keep }) => keep)).toBe(true);
      }),
    );
  });
});
