import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  backupAlert,
  BackupAlertSchema,
  backupNews,
  type Standing,
  type Told,
} from "../../provider/core/backup-alerts";
import { testRecord } from "../support/local-addon";

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const NOW = Date.parse("2026-05-10T12:00:00Z");

const FRESH: Standing = { health: { state: "fresh" }, lastRunFailed: false };
const FAILING: Standing = { health: { state: "failing", why: "a full disk" }, lastRunFailed: true };
const OVERDUE: Standing = { health: { state: "overdue", why: "none since" }, lastRunFailed: false };
const BOTH: Standing = { health: { state: "overdue", why: "none since; a full disk" }, lastRunFailed: true };

/** The events of looks that are so many hours apart. */
function heard(standings: readonly Standing[], hoursApart = 1, told: Told = {}): (string | undefined)[] {
  return standings.map((standing, look) => {
    const news = backupNews(told, standing, NOW + look * hoursApart * HOUR);
    ({ told } = news);
    return news.event;
  });
}

describe("people are told", () => {
  test("nothing while all is well", () => {
    expect(heard([FRESH, FRESH])).toEqual([undefined, undefined]);
  });

  test("of the first failure of a series, and once it is over", () => {
    expect(heard([FRESH, FAILING, FAILING, FAILING, FRESH, FRESH])).toEqual([
      undefined,
      "backup-failed",
      undefined,
      undefined,
      "backups-recovered",
      undefined,
    ]);
    expect(heard([FAILING, FRESH, FAILING])).toEqual(["backup-failed", "backups-recovered", "backup-failed"]);
  });

  test("that backups are overdue once a day while they are", () => {
    const events = heard(Array.from({ length: 50 }, () => OVERDUE));
    expect(events.flatMap((event, hour) => (event === undefined ? [] : [[event, hour]]))).toEqual([
      ["backups-overdue", 0],
      ["backups-overdue", 24],
      ["backups-overdue", 48],
    ]);
  });

  test("of a failure that makes them overdue in the end by both, and of both at once by one", () => {
    expect(heard([FAILING, BOTH, BOTH, FAILING, FRESH])).toEqual([
      "backup-failed",
      "backups-overdue",
      undefined,
      undefined,
      "backups-recovered",
    ]);
    expect(heard([BOTH, BOTH, FRESH])).toEqual(["backups-overdue", undefined, "backups-recovered"]);
  });

  test("why they stay overdue, when the catch-up fails", () => {
    expect(heard([OVERDUE, BOTH, BOTH])).toEqual(["backups-overdue", "backup-failed", undefined]);
  });

  test("of each series of failures of backups that can't be verified either", () => {
    expect(heard([BOTH, OVERDUE, BOTH])).toEqual(["backups-overdue", undefined, "backup-failed"]);
  });

  test("by a clock that was ahead as well: what it noted puts nothing off", () => {
    expect(heard([OVERDUE, OVERDUE], 1, { overdueAt: NOW + 365 * DAY })).toEqual([
      "backups-overdue",
      undefined,
    ]);
  });

  test("in any order of events: nothing twice within a day unless it is news, and always the end", () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom(FRESH, FAILING, OVERDUE, BOTH), { maxLength: 30 }),
        (standings) => {
          const events = heard(standings, 0.1);
          let [open, isOverdue] = [false, false];
          for (const [look, event] of events.entries()) {
            const { health, lastRunFailed } = standings[look] ?? FRESH;
            if (event === "backups-recovered") expect([open, health.state]).toEqual([true, "fresh"]);
            if (event === "backup-failed") expect(lastRunFailed).toBe(true);
            if (health.state !== "fresh" && !open) expect(event).toBeDefined();
            if (health.state === "fresh" && open) expect(event).toBe("backups-recovered");
            // While they stay overdue that is no news.
            if (event === "backups-overdue") expect(isOverdue).toBe(false);
            isOverdue = health.state === "overdue";
            open = health.state !== "fresh";
          }
        },
      ),
    );
  });
});

describe("an alert", () => {
  const record = testRecord();
  const subject = {
    record,
    host: "box1",
    destination: "s3://bucket/team?endpoint=http%3A%2F%2Flocalhost%3A9000&region=x",
    newestVerifiedAt: Date.parse("2026-05-09T03:00:00Z"),
    health: {
      state: "overdue" as const,
      why: "no verified backup since then; the last run failed: a full disk",
    },
    failure: "cannot back up cache: a full disk",
  };

  test("says in one sentence whose backups, where and why, and the rest for machines", () => {
    const alert = backupAlert("backup-failed", subject, NOW);
    expect(alert).toEqual({
      event: "backup-failed",
      id: "cache-00000000/backup-failed/2026-05-10T12:00:00.000Z",
      text: "Redis add-on cache (shop/dev on box1): a backup failed: cannot back up cache: a full disk",
      addon: "cache",
      project: "shop",
      stack: "dev",
      host: "box1",
      at: "2026-05-10T12:00:00.000Z",
      why: "cannot back up cache: a full disk",
      schedule: { daily: "03:00" },
      newestVerified: "2026-05-09T03:00:00.000Z",
      catalog: "s3://bucket/team/cache-00000000",
    });
    expect(BackupAlertSchema.parse(JSON.parse(JSON.stringify(alert)))).toEqual(alert);
  });

  test("of overdue backups says why, and of those that are well again which is the newest", () => {
    expect(backupAlert("backups-overdue", subject, NOW).text).toBe(
      "Redis add-on cache (shop/dev on box1): no verified backup since then; the last run failed: a full disk",
    );
    const well = { ...subject, health: { state: "fresh" as const }, failure: undefined };
    const alert = backupAlert("backups-recovered", well, NOW);
    expect(alert.text).toContain("newest verified backup: 2026-05-09T03:00:00.000Z");
    expect(alert).not.toHaveProperty("why");
  });

  test("holds no password of the add-on", () => {
    const text = JSON.stringify(backupAlert("backup-failed", subject, NOW));
    for (const secret of Object.values(record.credentials)) expect(text).not.toContain(secret);
  });
});
