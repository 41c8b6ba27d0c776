import { describe, expect, it } from "vitest";
import { backupDays } from "../../../provider/console/pages/backups/calendar";
import { calendarCard, dayWords } from "../../../provider/console/pages/backups/calendar-card";
import type { ListedDay } from "../../../provider/operations/look-at-backups";

const NOW = Date.parse("2026-05-10T12:00:00Z");
const backup = (instant: string, more: Partial<ListedDay> = {}): ListedDay => ({
  ...{ slot: Date.parse(instant), verification: "verified", hasArchive: true },
  ...more,
});
const on = (
  date: string,
  backups: readonly ListedDay[],
  more: { timezone?: string; failedAt?: number } = {},
) => backupDays(backups, { now: NOW, timezone: "UTC", ...more }).find((day) => day.date === date);

describe("the days of the calendar", () => {
  it("are ninety, each once, and the last is today", () => {
    const days = backupDays([], { now: NOW, timezone: "UTC" });
    expect(days).toHaveLength(90);
    expect(new Set(days.map(({ date }) => date)).size).toBe(90);
    expect(days[0]?.date).toBe("2026-02-10");
    expect(days.at(-1)).toMatchObject({ date: "2026-05-10", weekday: 6, state: "none" });
  });

  it("have 23 and 25 hours where clocks change, and none is left out or told twice", () => {
    for (const now of ["2026-03-29T22:30:00Z", "2026-10-25T23:30:00Z", "2026-03-30T00:30:00Z"]) {
      const days = backupDays([], { now: Date.parse(now), timezone: "Europe/Paris" });
      const dates = days.map(({ date }) => Date.parse(date));
      expect(dates.every((date, index) => index === 0 || date - (dates[index - 1] ?? 0) === 86_400_000)).toBe(
        true,
      );
    }
    const { date } =
      backupDays([], { now: Date.parse("2026-03-29T22:30:00Z"), timezone: "Europe/Paris" }).at(-1) ?? {};
    expect(date).toBe("2026-03-30");
  });

  it("are those of the zone's clocks", () => {
    const late = [backup("2026-05-08T23:30:00Z")];
    expect(on("2026-05-08", late)?.state).toBe("verified");
    expect(on("2026-05-08", late, { timezone: "Asia/Tokyo" })?.state).toBe("none");
    expect(on("2026-05-09", late, { timezone: "Asia/Tokyo" })?.state).toBe("verified");
  });

  it.each([
    [
      "verified",
      [backup("2026-05-08T01:00:00Z"), backup("2026-05-08T02:00:00Z", { verification: "damaged" })],
      2,
    ],
    ["unverified", [backup("2026-05-08T01:00:00Z", { verification: undefined })], 1],
    ["unverified", [backup("2026-05-08T01:00:00Z", { verification: "structure-checked" })], 1],
    ["damaged", [backup("2026-05-08T01:00:00Z", { verification: "damaged" })], 1],
    ["damaged", [backup("2026-05-08T01:00:00Z", { hasArchive: false })], 1],
    ["none", [], 0],
  ] as const)("are %s by the best that they have", (state, backups, count) => {
    expect(on("2026-05-08", backups)).toMatchObject({ state, backups: count });
  });

  it("say that the last run failed, unless something of that day is good nonetheless", () => {
    const failedAt = Date.parse("2026-05-08T03:00:00Z");
    expect(on("2026-05-08", [], { failedAt })?.state).toBe("failed");
    expect(on("2026-05-09", [], { failedAt })?.state).toBe("none");
    expect(on("2026-05-08", [backup("2026-05-08T01:00:00Z")], { failedAt })?.state).toBe("verified");
  });
});

describe("the calendar", () => {
  it("tells each day in words, and marks it by more than a colour", async () => {
    const backups = [
      backup("2026-05-08T01:00:00Z"),
      backup("2026-05-08T02:00:00Z"),
      backup("2026-05-09T02:00:00Z"),
    ];
    const html = String(await calendarCard(backups, { now: NOW, timezone: "Europe/Paris" }));
    expect(html).toContain('title="2026-05-08: 2 backups, 2 of them verified"');
    expect(html).toMatch(/<td class="day verified"[^>]*>\s*<span aria-hidden="true">2<\/span>/);
    expect(html).toMatch(
      /<td class="day verified" title="2026-05-09[^>]*>\s*<span aria-hidden="true">✓<\/span>/,
    );
    expect(html).toContain("days are those of Europe/Paris");
    expect(html.match(/<td class="day /g)).toHaveLength(90);
    expect(html.match(/<th scope="row">/g)).toHaveLength(7);
  });

  it.each([
    ["2026-05-10", ["Feb", "Mar", "Apr", "May"]],
    // Its first week is the last of August.
    ["2026-11-23", ["Sep", "Oct", "Nov"]],
  ])("on %s names the months where they begin: %j", async (today, months) => {
    const html = String(await calendarCard([], { now: Date.parse(`${today}T12:00:00Z`), timezone: "UTC" }));
    const named = [...html.matchAll(/<span aria-hidden="true">([A-Z][a-z]{2})<\/span>/g)].map(
      ([, month]) => month,
    );
    expect(named).toEqual(months);
  });

  it.each([
    [{ state: "none", backups: 0, verified: 0 }, "no backup"],
    [{ state: "failed", backups: 0, verified: 0 }, "the backup failed"],
    [{ state: "unverified", backups: 1, verified: 0 }, "one backup, not verified"],
    [{ state: "failed", backups: 1, verified: 0 }, "one backup, damaged, and the last run failed"],
    [{ state: "verified", backups: 3, verified: 2 }, "3 backups, 2 of them verified"],
  ] as const)("says of %j: %s", (day, words) => {
    expect(dayWords({ date: "2026-05-08", weekday: 4, ...day })).toBe(words);
  });
});
