import { describe, expect, test } from "vitest";
import { dueNow } from "../../provider/agent/backups/due-now";
import type { AddonRecord, BackupsWish } from "../../provider/core/facets";
import type { BackupState } from "../../provider/platforms/local/process-state";
import { scheduledFrom } from "../../provider/core/schedule-in-force";
import { testRecord } from "../support/local-addon";

const NOW = Date.parse("2026-05-10T12:00:00Z");
const TODAY = Date.parse("2026-05-10T03:00:00Z");
const AHEAD = "2035-01-01T00:00:00.000Z";
const MINUTE = 60_000;

const record = testRecord();
const every = (interval: string, since = "2026-02-01T00:00:00.000Z"): AddonRecord => ({
  ...record,
  backups: {
    wish: { schedule: { every: interval }, retention: { days: 7 } },
    instance: { token: "b", confirmed: true },
    given: [],
    since,
  },
});
const succeeded = (newestSlotAt: number): BackupState => ({
  at: new Date(newestSlotAt).toISOString(),
  outcome: "backed-up",
  detail: "a slot",
  newestSlotAt,
  failures: 0,
});
const failed = (at: string, failures: number): BackupState => ({
  at,
  outcome: "failed",
  detail: "a full disk",
  failures,
});

describe("a scheduled backup starts now", () => {
  test("by default each day, once", () => {
    expect(dueNow(record, undefined, NOW)).toEqual({
      kind: "scheduled",
      schedule: { daily: "03:00" },
      since: record.createdAt,
    });
    expect(dueNow(record, succeeded(TODAY), NOW)).toBeUndefined();
    expect(dueNow(record, succeeded(TODAY - 1), NOW)).toBeDefined();
  });

  test("by its policy, from when that was made", () => {
    const policy = every("1m");
    expect(dueNow(policy, succeeded(NOW - MINUTE), NOW)).toEqual({
      kind: "scheduled",
      schedule: { every: "1m" },
      since: "2026-02-01T00:00:00.000Z",
    });
    expect(dueNow(policy, succeeded(NOW), NOW + MINUTE - 1)).toBeUndefined();
    expect(dueNow(every("1m", new Date(NOW + 1).toISOString()), undefined, NOW + 2)).toBeUndefined();
  });

  test("never for an add-on that is being removed", () => {
    const removing = { since: new Date(NOW).toISOString() };
    expect(dueNow({ ...record, removing }, undefined, NOW)).toBeUndefined();
  });

  test.each([
    [1, 1],
    [2, 2],
    [3, 4],
    [6, 32],
    [7, 60],
    [2_000, 60],
  ])("after %i failures in a row once %i minutes have passed", (failures, minutes) => {
    const state = failed(new Date(NOW - minutes * MINUTE).toISOString(), failures);
    expect(dueNow(record, state, NOW - 1)).toBeUndefined();
    expect(dueNow(record, state, NOW)).toBeDefined();
  });
});

describe("a clock that was ahead once does not stop backups", () => {
  test.each<[string, AddonRecord, BackupState | undefined]>([
    ["by the newest slot", record, succeeded(Date.parse(AHEAD))],
    ["by a failure", record, failed(AHEAD, 3)],
    ["by the policy's beginning", every("1h", AHEAD), undefined],
    ["by the add-on's own beginning", { ...record, createdAt: AHEAD }, undefined],
    ["by all of them", { ...every("1h", AHEAD), createdAt: AHEAD }, failed(AHEAD, 1)],
  ])("%s", (_, added, state) => {
    expect(dueNow(added, state, NOW)).toBeDefined();
  });

  test("and a policy from the future counts from the add-on's beginning: no slot is of an earlier add-on", () => {
    expect(dueNow(every("1h", AHEAD), undefined, NOW)?.since).toBe(record.createdAt);
    const born = new Date(NOW - 1).toISOString();
    expect(dueNow({ ...every("7d", AHEAD), createdAt: born }, undefined, NOW)).toBeUndefined();
  });
});

describe("slots from before a schedule came into force are never due", () => {
  const HOUR = 60 * MINUTE;
  const wish = (interval: string): BackupsWish => ({ schedule: { every: interval }, retention: { days: 7 } });
  const now = NOW + HOUR / 2;
  const iso = new Date(now).toISOString();

  /** As the agent records a policy; undefined returns it to the default. */
  function recorded(before: AddonRecord, changed: BackupsWish | undefined, at: number): AddonRecord {
    const from = scheduledFrom(before, changed, at);
    const { backups, ...others } = { ...before, ...from };
    if (changed === undefined) return others;
    const since = backups?.since ?? new Date(at).toISOString();
    return {
      ...others,
      backups: { instance: { token: "b", confirmed: true }, given: [], since, wish: changed },
    };
  }

  test.each<[string, AddonRecord, BackupsWish | undefined]>([
    ["a policy that is made", record, wish("1h")],
    ["one that is changed", every("7h"), wish("1h")],
    ["one that is changed a second time", recorded(every("7h"), wish("2h"), NOW - HOUR), wish("1h")],
    ["a policy that returns to the default", every("1h"), undefined],
  ])("%s", (_, before, changed) => {
    const after = recorded(before, changed, now);
    expect(after.scheduledSince).toBe(iso);
    expect(dueNow(after, undefined, now)).toBeUndefined();
    const first = dueNow(after, undefined, now + 24 * HOUR);
    expect(first).toMatchObject({ kind: "scheduled", since: iso });
  });

  test("but a policy that is changed in anything else owes what it owed before", () => {
    const before = every("1h");
    const after = recorded(before, { ...wish("1h"), destination: "file:///elsewhere" }, now);
    expect(after.scheduledSince).toBeUndefined();
    expect(dueNow(after, undefined, now)).toEqual(dueNow(before, undefined, now));
    const anew = recorded(
      recorded(before, wish("2h"), NOW),
      { ...wish("2h"), retention: { keepLast: 3 } },
      now,
    );
    expect(anew.scheduledSince).toBe(new Date(NOW).toISOString());
  });

  test("and one that only spells out its zone, or is taken away twice, is not changed", () => {
    const daily = (timezone?: string): BackupsWish => ({
      schedule: { daily: "03:00", ...(timezone === undefined ? {} : { timezone }) },
      retention: { days: 7 },
    });
    const made = recorded(record, daily(), NOW);
    expect(recorded(made, daily("UTC"), now).scheduledSince).toBe(made.scheduledSince);
    expect(recorded(made, daily("Europe/Paris"), now).scheduledSince).toBe(iso);
    const gone = recorded(made, undefined, NOW + 1);
    expect(recorded(gone, undefined, now)).toEqual(gone);
    expect(recorded(record, undefined, now)).toEqual(record);
  });

  test("unless a clock that was ahead said when that was", () => {
    const after = recorded(every("1h"), wish("2h"), Date.parse(AHEAD));
    expect(dueNow(after, undefined, now)?.since).toBe("2026-02-01T00:00:00.000Z");
  });
});
