import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { backupHealth, backupHealthOf, type KnownBackups } from "../../provider/core/backup-health";
import { longestGapMs, type Schedule } from "../../provider/core/schedule";
import { testRecord } from "../support/local-addon";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const SLOT = Date.parse("2026-05-10T03:00:00Z");
const LONG_AGO = Date.parse("2026-01-01T00:00:00Z");

const known = (changes: Partial<KnownBackups> = {}): KnownBackups => ({
  schedule: { daily: "03:00" },
  since: LONG_AGO,
  newestVerifiedAt: SLOT,
  lastRun: { failed: false, detail: "20260510T030000000Z", verification: "verified" },
  ...changes,
});
const FAILED = { failed: true, detail: "cannot back up cache: the disk is full" };

describe("backups are", () => {
  test("fresh until the schedule's longest gap and two hours have passed since the newest verified one", () => {
    expect(backupHealth(known(), SLOT + 26 * HOUR)).toEqual({ state: "fresh" });
    expect(backupHealth(known(), SLOT + 26 * HOUR + 1)).toEqual({
      state: "overdue",
      why: "no verified backup since 2026-05-10T03:00:00.000Z: the schedule wants one each 24 h",
    });
  });

  test.each<[Schedule, number, string]>([
    [{ every: "15m" }, 2.25, "15 minutes"],
    [{ every: "6h" }, 8, "6 h"],
    [{ daily: "03:00", timezone: "Europe/Paris" }, 27, "25 h"],
    [{ daily: "03:00", timezone: "Australia/Lord_Howe" }, 26.5, "24.5 h"],
    [{ cron: "0 3 * * 1-5" }, 74, "72 h"],
    [{ cron: "0 3 1 * *" }, 31 * 24 + 2, "31 days"],
  ])("by %j for %d hours", (schedule, hours, words) => {
    expect(backupHealth(known({ schedule }), SLOT + hours * HOUR).state).toBe("fresh");
    const { state, why } = backupHealth(known({ schedule }), SLOT + hours * HOUR + 1);
    expect(state).toBe("overdue");
    expect(why).toContain(`the schedule wants one each ${words}`);
  });

  test("failing after a run that failed, for its reason", () => {
    expect(backupHealth(known({ lastRun: FAILED }), SLOT + HOUR)).toEqual({
      state: "failing",
      why: FAILED.detail,
    });
  });

  test("overdue rather than failing where they are both, and that says both", () => {
    expect(backupHealth(known({ lastRun: FAILED }), SLOT + 2 * DAY)).toEqual({
      state: "overdue",
      why:
        "no verified backup since 2026-05-10T03:00:00.000Z: the schedule wants one each 24 h; " +
        "the last run failed: cannot back up cache: the disk is full",
    });
  });

  test.each([
    ["structure-checked", "the last one could only be structure checked: nothing there can load it"],
    ["damaged", "the last one is damaged"],
    [undefined, "the last one was not verified"],
  ] as const)(
    "overdue although they are taken, where they are %s, and that says so",
    (verification, words) => {
      const lastRun = { failed: false, detail: "20260512T030000000Z", verification };
      expect(backupHealth(known({ lastRun }), SLOT + 2 * DAY).why).toMatch(new RegExp(`; ${words}$`));
      expect(backupHealth(known({ lastRun }), SLOT + DAY)).toEqual({ state: "fresh" });
    },
  );
});

describe("a new add-on, or a new schedule,", () => {
  test("is given the time until its first backup is due", () => {
    const fresh = known({ since: SLOT, newestVerifiedAt: undefined, lastRun: undefined });
    expect(backupHealth(fresh, SLOT + 26 * HOUR).state).toBe("fresh");
    expect(backupHealth(fresh, SLOT + 26 * HOUR + 1)).toEqual({
      state: "overdue",
      why:
        "no verified backup since 2026-05-10T03:00:00.000Z, when the schedule came into force: " +
        "the schedule wants one each 24 h",
    });
  });

  test("is not blamed for the one before it, and tells the newest verified backup all the same", () => {
    const hourly = known({ schedule: { every: "1h" }, since: SLOT + DAY });
    expect(backupHealth(hourly, SLOT + DAY + 3 * HOUR).state).toBe("fresh");
    expect(backupHealth(hourly, SLOT + DAY + 3 * HOUR + 1).why).toContain(
      "no verified backup since 2026-05-10T03:00:00.000Z: ",
    );
  });
});

describe("a clock that was ahead", () => {
  const AHEAD = Date.parse("2035-01-01T00:00:00Z");

  test("hides nothing: what it noted counts for nothing", () => {
    expect(backupHealth(known({ newestVerifiedAt: AHEAD }), SLOT + DAY).state).toBe("overdue");
    expect(backupHealth(known({ since: AHEAD }), SLOT + 2 * DAY).state).toBe("overdue");
  });

  test("invents nothing: where all is from the future nothing tells how long it has been", () => {
    const nothing = known({ since: AHEAD, newestVerifiedAt: AHEAD });
    expect(backupHealth(nothing, SLOT)).toEqual({ state: "fresh" });
    expect(backupHealth({ ...nothing, lastRun: FAILED }, SLOT).state).toBe("failing");
  });

  test("and is set back by an hour gives no doubt of a backup that was just taken", () => {
    expect(backupHealth(known(), SLOT - HOUR)).toEqual({ state: "fresh" });
  });

  test("never makes backups overdue that were verified lately, nor fresh that were not", () => {
    const instants = fc.integer({ min: SLOT - 400 * DAY, max: SLOT + 400 * DAY });
    const schedules = fc.constantFrom<Schedule>({ every: "1h" }, { daily: "03:00" }, { every: "30d" });
    fc.assert(
      fc.property(
        schedules,
        instants,
        fc.option(instants, { nil: undefined }),
        (schedule, since, verified) => {
          const limit = longestGapMs(schedule) + 2 * HOUR;
          const { state } = backupHealth(known({ schedule, since, newestVerifiedAt: verified }), SLOT);
          const isPast = (instant: number | undefined) => instant !== undefined && instant <= SLOT;
          const lately = [since, verified].some(
            (one) => one !== undefined && isPast(one) && SLOT - one <= limit,
          );
          if (lately) expect(state).toBe("fresh");
          if (
            !lately &&
            isPast(since) &&
            (verified === undefined || verified > SLOT + limit || isPast(verified))
          )
            expect(state).toBe("overdue");
        },
      ),
      { numRuns: 300 },
    );
  });
});

describe("of an add-on", () => {
  const record = { ...testRecord(), createdAt: new Date(LONG_AGO).toISOString() };
  const run = { outcome: "failed" as const, detail: FAILED.detail, newestVerifiedAt: SLOT };

  test("what was noted is judged by the schedule in force", () => {
    expect(backupHealthOf(record, undefined, LONG_AGO + DAY).state).toBe("fresh");
    expect(backupHealthOf(record, undefined, SLOT).state).toBe("overdue");
    expect(backupHealthOf(record, run, SLOT + DAY).state).toBe("failing");
    expect(backupHealthOf(record, run, SLOT + 2 * DAY).state).toBe("overdue");
    const scheduledSince = new Date(SLOT + 2 * DAY).toISOString();
    expect(backupHealthOf({ ...record, scheduledSince }, run, SLOT + 2 * DAY).state).toBe("failing");
  });

  test("that is being removed nothing is said", () => {
    const removing = { since: new Date(SLOT).toISOString() };
    expect(backupHealthOf({ ...record, removing }, run, SLOT + 9 * DAY)).toEqual({ state: "fresh" });
  });
});
