import fc from "fast-check";
import { describe, expect, test, vi } from "vitest";
import { dueSlot, longestGapMs, nextSlot, type Schedule, ScheduleSchema } from "../../provider/core/schedule";

const at = (iso: string) => Date.parse(iso);
const iso = (instant: number | undefined) => instant && new Date(instant).toISOString();

function problem(input: unknown): string {
  const parsed = ScheduleSchema.safeParse(input);
  if (parsed.success) throw new Error(`${JSON.stringify(input)} was accepted`);
  return parsed.error.issues.map(({ path, message }) => [...path, message].join(" | ")).join("\n");
}

/** All slots in (from, to], by walking. */
function walk(schedule: Schedule, from: number, to: number): number[] {
  const slots: number[] = [];
  for (let slot = nextSlot(schedule, from); slot !== undefined && slot <= to; slot = nextSlot(schedule, slot))
    slots.push(slot);
  return slots;
}

describe("what a schedule may be", () => {
  test.each([
    { every: "1m" },
    { every: "90m" },
    { every: "6h" },
    { every: "366d" },
    { daily: "00:00" },
    { daily: "23:59", timezone: "Europe/Paris" },
    { cron: "30 3 * * *" },
    { cron: "0 0 29 2 *", timezone: "America/New_York" },
    { cron: "*/15 8-18 * * MON-FRI", timezone: "UTC" },
  ])("%j is one", (schedule) => {
    expect(ScheduleSchema.parse(schedule)).toEqual(schedule);
  });

  test.each([
    [{ every: "0h" }, /every \| "0h" is less than a minute.*"6h"/],
    [{ every: "30s" }, /"30s" is counted in seconds/],
    [{ every: "367d" }, /"367d" is more than 366 days/],
    [{ every: "999999999999999999999h" }, /more than 366 days/],
    [{ every: "1.5h" }, /no interval/],
    [{ every: "-1h" }, /no interval/],
    [{ daily: "25:00" }, /daily \| "25:00" is no time of day.*"03:30"/],
    [{ daily: "3:30" }, /no time of day/],
    [{ daily: "03:60" }, /no time of day/],
    [{ daily: "03:30", timezone: "Europe/Pariss" }, /timezone \| "Europe\/Pariss" is no IANA time zone.*UTC/],
    [{ daily: "03:30", timezone: "+02:00" }, /no IANA time zone/],
    [{ daily: "03:30", timezone: "" }, /no IANA time zone/],
    [{ cron: "every day" }, /cron \| "every day" is no cron expression .*"30 3 \* \* \*"/],
    [{ cron: "61 * * * *" }, /no cron expression .*minute/],
    [{ cron: "0 0 30 2 *" }, /names a date that no year has/],
    [{ cron: "0 0 3 * * *" }, /no cron expression .*5 parts/],
    [{ cron: "" }, /no cron expression/],
    [{ daily: "03:30", tz: "UTC" }, /\{"daily":"03:30","tz":"UTC"\} is no schedule: write \{ every: "6h" \}/],
    [{ every: "6h", daily: "03:30" }, /is no schedule/],
    ["daily", /"daily" is no schedule/],
    [undefined, /an absent value is no schedule/],
  ])("%j is none, and it says what is wrong and what is right", (input, message) => {
    expect(problem(input)).toMatch(message);
  });
});

describe("slots", () => {
  test("of an interval are counted from the Unix epoch, so that machines agree", () => {
    expect(iso(nextSlot({ every: "6h" }, at("2026-05-01T05:59:59.999Z")))).toBe("2026-05-01T06:00:00.000Z");
    expect(iso(nextSlot({ every: "6h" }, at("2026-05-01T06:00:00Z")))).toBe("2026-05-01T12:00:00.000Z");
    expect(nextSlot({ every: "7d" }, 0)).toBe(7 * 86_400_000);
  });

  test("are in UTC unless a zone is given", () => {
    expect(iso(nextSlot({ daily: "03:30" }, at("2026-07-01T00:00:00Z")))).toBe("2026-07-01T03:30:00.000Z");
    expect(iso(nextSlot({ daily: "03:30", timezone: "Europe/Paris" }, at("2026-07-01T00:00:00Z")))).toBe(
      "2026-07-01T01:30:00.000Z",
    );
  });

  const paris = (cron: string): Schedule => ({ cron, timezone: "Europe/Paris" });
  const SPRING = [at("2026-03-28T23:00:00Z"), at("2026-03-29T22:00:00Z")] as const;
  const AUTUMN = [at("2026-10-24T22:00:00Z"), at("2026-10-25T23:00:00Z")] as const;

  test.each<[Schedule, string[]]>([
    [{ daily: "02:30", timezone: "Europe/Paris" }, ["2026-03-29T01:00:00.000Z"]],
    [paris("30 2 * * *"), ["2026-03-29T01:00:00.000Z"]],
    [paris("30 2,14 * * *"), ["2026-03-29T01:00:00.000Z", "2026-03-29T12:30:00.000Z"]],
    [paris("0 3 * * *"), ["2026-03-29T01:00:00.000Z"]],
  ])("%j: a time that the spring change leaves out runs once, right after the gap", (schedule, slots) => {
    expect(walk(schedule, ...SPRING).map(iso)).toEqual(slots);
  });

  test.each<[Schedule, string[]]>([
    [{ daily: "02:30", timezone: "Europe/Paris" }, ["2026-10-25T00:30:00.000Z"]],
    [paris("30 2 * * *"), ["2026-10-25T00:30:00.000Z"]],
    [paris("30 2,14 * * *"), ["2026-10-25T00:30:00.000Z", "2026-10-25T13:30:00.000Z"]],
  ])("%j: a time that the autumn change repeats runs once", (schedule, slots) => {
    expect(walk(schedule, ...AUTUMN).map(iso)).toEqual(slots);
  });

  test("of an hourly pattern keep their pace through both changes", () => {
    expect(walk(paris("30 * * * *"), ...SPRING)).toHaveLength(23);
    expect(walk(paris("30 * * * *"), ...AUTUMN)).toHaveLength(25);
  });

  test("do not depend on the clock of the machine", () => {
    const schedules: Schedule[] = [{ every: "6h" }, { daily: "02:30", timezone: "Europe/Paris" }];
    const all = () =>
      schedules.map((schedule) => [
        ...walk(schedule, ...SPRING),
        dueSlot(schedule, { since: 0, last: undefined, now: AUTUMN[1] }),
      ]);
    const before = all();
    vi.useFakeTimers({ now: at("2099-01-01T00:00:00Z") });
    try {
      expect(all()).toEqual(before);
    } finally {
      vi.useRealTimers();
    }
  });
});

describe("the longest gap between two slots", () => {
  const HOUR = 3_600_000;
  const LEAP = 29.3 * 24 * HOUR;
  const PARIS = "Europe/Paris";

  test.each<[Schedule, number]>([
    [{ every: "15m" }, 0.25],
    [{ every: "6h" }, 6],
    [{ every: "366d" }, 366 * 24],
    [{ daily: "03:00" }, 24],
    [{ daily: "03:00", timezone: "Asia/Tokyo" }, 24],
    [{ daily: "03:00", timezone: PARIS }, 25],
    [{ daily: "02:30", timezone: PARIS }, 25],
    [{ daily: "00:00", timezone: "Africa/Cairo" }, 25],
    [{ daily: "03:00", timezone: "Australia/Lord_Howe" }, 24.5],
    [{ cron: "* * * * *", timezone: PARIS }, 1 / 60],
    [{ cron: "0 3,15 * * *" }, 12],
    [{ cron: "0 3,15 * * *", timezone: PARIS }, 13],
    // The shift by half an hour puts nine minutes between 01:56 and 02:35.
    [{ cron: "*/7 * * * *", timezone: "Australia/Lord_Howe" }, 9 / 60],
    [{ cron: "0 * 8-18 * *" }, 20 * 24 + 1],
    [{ cron: "0 3 * * 1-5" }, 72],
    [{ cron: "0 3 * * 1-5", timezone: PARIS }, 73],
    // An interval, by the rule of Vixie cron: the hour that the spring change leaves out has none.
    [{ cron: "*/20 2 * * *", timezone: PARIS }, 46 + 1 / 3],
    [{ cron: "0 3 1 * *" }, 31 * 24],
    [{ cron: "0 3 31 * *" }, 61 * 24],
    [{ cron: "0 * * 1 *" }, (366 - 31) * 24 + 1],
    [{ cron: "0 0 29 2 *" }, (4 * 365 + 1) * 24],
  ])("of %j is %d hours", (schedule, hours) => {
    expect(longestGapMs(schedule) / HOUR).toBeCloseTo(hours, 9);
    // Asked again, it is the same.
    expect(longestGapMs({ ...schedule }) / HOUR).toBeCloseTo(hours, 9);
  });

  const patterns = fc
    .tuple(
      fc.constantFrom("0", "30", "5,35", "*/20", "*/7", "*"),
      fc.constantFrom("*", "2", "0,2", "1-3", "*/5", "8-18", "23"),
      fc.constantFrom("*", "*", "*", "1", "31", "L", "1-7", "*/2"),
      fc.constantFrom("*", "*", "*", "1", "3,10", "4-10"),
      fc.constantFrom("*", "*", "0", "1-5", "MON#1"),
    )
    .map((fields) => fields.join(" "));
  const zones = fc.constantFrom(
    "UTC",
    PARIS,
    "America/New_York",
    "Australia/Lord_Howe",
    "Africa/Cairo",
    "Africa/Casablanca",
    "America/Sao_Paulo",
  );

  test("is never exceeded, in any zone and around every change of its clocks", () => {
    const from = fc.integer({ min: at("2024-01-01"), max: at("2033-01-01") });
    fc.assert(
      fc.property(patterns, zones, from, (cron, timezone, start) => {
        const schedule = { cron, timezone };
        const longest = longestGapMs(schedule);
        let slot = nextSlot(schedule, start);
        for (let run = 0; slot !== undefined && run < 90; run++) {
          const next = nextSlot(schedule, slot);
          if (next !== undefined && next - slot > longest)
            throw new Error(`${iso(slot)} to ${iso(next)} is longer than ${longest / HOUR} h`);
          // Most gaps of a frequent pattern are alike: the rest of the range is looked at in leaps.
          slot = run % 3 === 2 ? nextSlot(schedule, slot + LEAP) : next;
        }
      }),
      { numRuns: 25 },
    );
  }, 60_000);
});

describe("the due slot", () => {
  const daily: Schedule = { daily: "03:00" };

  test("is the newest that has come, on its very millisecond", () => {
    const due = (now: string) => iso(dueSlot(daily, { since: 0, last: undefined, now: at(now) }));
    expect(due("2026-05-02T02:59:59.999Z")).toBe("2026-05-01T03:00:00.000Z");
    expect(due("2026-05-02T03:00:00.000Z")).toBe("2026-05-02T03:00:00.000Z");
  });

  test("is one alone after three days of downtime", () => {
    const now = at("2026-05-05T10:00:00Z");
    const last = at("2026-05-01T03:00:00Z");
    const slot = dueSlot(daily, { since: 0, last, now });
    expect(iso(slot)).toBe("2026-05-05T03:00:00.000Z");
    expect(dueSlot(daily, { since: 0, last: slot, now })).toBeUndefined();
  });

  test("is not put off by a clock that was ahead when the last one was noted, or when the schedule was", () => {
    const now = at("2026-05-01T12:00:00Z");
    const ahead = at("2035-01-01T00:00:00Z");
    expect(iso(dueSlot(daily, { since: 0, last: ahead, now }))).toBe("2026-05-01T03:00:00.000Z");
    expect(iso(dueSlot(daily, { since: ahead, last: undefined, now }))).toBe("2026-05-01T03:00:00.000Z");
    expect(dueSlot(daily, { since: ahead, last: at("2026-05-01T03:00:00Z"), now })).toBeUndefined();
  });

  test("is none from before the schedule came into force", () => {
    const since = at("2026-05-01T03:00:00.001Z");
    expect(dueSlot(daily, { since, last: undefined, now: at("2026-05-01T12:00:00Z") })).toBeUndefined();
    expect(dueSlot(daily, { since, last: undefined, now: at("2026-05-02T03:00:00Z") })).toBeDefined();
  });

  const schedules = fc.oneof(
    fc.record({ every: fc.constantFrom("7m", "6h", "1d", "3d") }),
    fc.record({
      cron: fc.constantFrom("30 2 * * *", "30 2,14 * * *", "*/20 * * * *", "0 2-3 * * *", "15 1,2,3 * * 0"),
      timezone: fc.constantFrom("Europe/Paris", "UTC", "Australia/Lord_Howe", "America/New_York"),
    }),
  ) satisfies fc.Arbitrary<Schedule>;
  const DAYS = [
    at("2026-03-29T00:00:00Z"),
    at("2026-10-25T00:00:00Z"),
    at("2026-04-05T00:00:00Z"),
    at("2026-11-01T00:00:00Z"),
  ];
  const instants = fc
    .tuple(fc.constantFrom(...DAYS), fc.integer({ min: -2 * 86_400_000, max: 2 * 86_400_000 }))
    .map(([day, offset]) => day + offset);

  test("is what walking through all slots finds, around clock changes too", () => {
    fc.assert(
      fc.property(
        schedules,
        instants,
        fc.nat(3 * 86_400_000),
        fc.nat(3 * 86_400_000),
        (schedule, now, a, b) => {
          const [since, last] = [now - a, now - b];
          const newest = walk(schedule, now - 8 * 86_400_000, now).at(-1);
          const expected = newest !== undefined && newest > last && newest >= since ? newest : undefined;
          expect(dueSlot(schedule, { since, last, now })).toBe(expected);
        },
      ),
      { numRuns: 300 },
    );
  }, 60_000);
});
