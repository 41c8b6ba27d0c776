import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { dueNow } from "../../provider/agent/backups/due-now";
import type { AddonRecord } from "../../provider/core/facets";
import { dueSlot, longestGapMs, nextSlot, type Schedule } from "../../provider/core/schedule";
import type { BackupState } from "../../provider/platforms/local/process-state";
import { testRecord } from "../support/local-addon";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** One machine that backs an add-on up: what its agent noted, and the job that runs. */
interface Machine {
  state: BackupState | undefined;
  job: { readonly slot: number | undefined; readonly endsAt: number } | undefined;
  readonly takenAt: Map<number, number>;
}

interface World {
  readonly schedule: Schedule;
  /** Of real time, in milliseconds since the Unix epoch. */
  readonly from: number;
  readonly to: number;
  readonly machines?: number;
  readonly tickMs?: number;
  /** How long a backup takes that begins then. */
  readonly durationMs?: (begun: number) => number;
  readonly isAsleep?: (real: number) => boolean;
  /** By how much the machines' clocks are ahead of real time. */
  readonly aheadMs?: (real: number) => number;
  readonly isFailing?: (real: number) => boolean;
}

/** What agents do with time, and jobs with the catalog: the processes and the data left out. */
function simulate(world: World) {
  const { schedule, from, to, tickMs = 10 * MINUTE, durationMs = () => 0 } = world;
  const since = new Date(from).toISOString();
  const record: AddonRecord = {
    ...testRecord(),
    createdAt: since,
    backups: {
      wish: { schedule, retention: { days: 7 } },
      instance: { token: "b", confirmed: true },
      given: [],
      since,
    },
  };
  const catalog = new Set<number>();
  const attempts: number[] = [];
  const machines = Array.from({ length: world.machines ?? 1 }, (): Machine => ({
    state: undefined,
    job: undefined,
    takenAt: new Map(),
  }));

  function collect(machine: Machine, real: number, now: number): void {
    const { slot } = machine.job ?? {};
    machine.job = undefined;
    const kept = machine.state?.newestSlotAt;
    if (world.isFailing?.(real) === true) {
      machine.state = {
        at: new Date(now).toISOString(),
        outcome: "failed",
        detail: "a full disk",
        ...(kept === undefined ? {} : { newestSlotAt: kept }),
        failures: (machine.state?.failures ?? 0) + 1,
      };
      return;
    }
    // Put if absent: of several machines one wins.
    if (slot !== undefined && !catalog.has(slot)) {
      catalog.add(slot);
      machine.takenAt.set(slot, real);
    }
    machine.state = {
      at: new Date(now).toISOString(),
      outcome: "backed-up",
      detail: "a slot",
      newestSlotAt: slot ?? now,
      failures: 0,
    };
  }

  for (let real = from; real <= to; real += tickMs) {
    if (world.isAsleep?.(real) === true) continue;
    const now = real + (world.aheadMs?.(real) ?? 0);
    for (const machine of machines) {
      if (machine.job !== undefined && machine.job.endsAt <= real) collect(machine, real, now);
      if (machine.job !== undefined) continue;
      const due = dueNow(record, machine.state, now);
      if (due === undefined) continue;
      attempts.push(real);
      const last = Math.max(-Infinity, ...[...catalog].filter((slot) => slot <= now));
      const slot = dueSlot(due.schedule, {
        since: Date.parse(due.since),
        last: last === -Infinity ? undefined : last,
        now,
      });
      machine.job = { slot, endsAt: real + (slot === undefined ? 0 : durationMs(real)) };
      if (machine.job.endsAt <= real) collect(machine, real, now);
    }
  }
  const takenAt = new Map(machines.flatMap((machine) => [...machine.takenAt]));
  return { slots: [...catalog].sort((a, b) => a - b), takenAt, attempts, machines };
}

/** All slots in [from, to], by walking. */
function walk(schedule: Schedule, from: number, to: number): number[] {
  const slots: number[] = [];
  for (
    let slot = nextSlot(schedule, from - 1);
    slot !== undefined && slot <= to;
    slot = nextSlot(schedule, slot)
  )
    slots.push(slot);
  return slots;
}

const at = (iso: string) => Date.parse(iso);
const iso = (instants: readonly number[]) => instants.map((instant) => new Date(instant).toISOString());

/** Days on which clocks change, both ways, in both hemispheres. */
const CHANGES: readonly (readonly [string, string])[] = [
  ["Europe/Paris", "2026-03-29"],
  ["Europe/Paris", "2026-10-25"],
  ["America/New_York", "2026-03-08"],
  ["America/New_York", "2026-11-01"],
  ["Australia/Lord_Howe", "2026-04-05"],
  ["Australia/Lord_Howe", "2026-10-04"],
  ["Africa/Cairo", "2026-04-24"],
  ["Africa/Casablanca", "2026-02-15"],
];

const schedules = fc.oneof(
  fc.record({ every: fc.constantFrom("20m", "6h", "1d") }),
  fc.constantFrom(...CHANGES.map(([zone]) => zone)).chain((timezone) =>
    fc.oneof(
      fc.record({
        daily: fc.constantFrom("00:00", "01:30", "02:30", "03:00"),
        timezone: fc.constant(timezone),
      }),
      fc.record({
        cron: fc.constantFrom("30 2,14 * * *", "*/20 * * * *", "0 2-3 * * *"),
        timezone: fc.constant(timezone),
      }),
    ),
  ),
) satisfies fc.Arbitrary<Schedule>;
const starts = fc
  .tuple(fc.constantFrom(...CHANGES), fc.integer({ min: -36, max: 12 }), fc.constantFrom(0, 10, 50))
  .map(([[, day], hours, minutes]) => at(day) + hours * HOUR + minutes * MINUTE);

describe("an agent that looks again and again", () => {
  test.each(CHANGES)("in %s backs a time of day up once a day, also on %s", (timezone, day) => {
    for (const daily of ["00:00", "01:30", "02:00", "02:30", "23:50"]) {
      const [from, to] = [at(day) - 1.5 * DAY, at(day) + 2.5 * DAY];
      const { slots } = simulate({ schedule: { daily, timezone }, from, to });
      const local = new Intl.DateTimeFormat("en-CA", { timeZone: timezone, dateStyle: "short" });
      const taken = slots.map((slot) => local.format(slot));
      const days = [-1, 0, 1].map((offset) => local.format(at(day) + offset * DAY + DAY / 2));
      expect(taken.filter((one) => days.includes(one))).toEqual(days);
    }
  });

  test("takes every slot exactly once and on time, around clock changes too", () => {
    fc.assert(
      fc.property(schedules, starts, fc.integer({ min: 1, max: 2 }), (schedule, from, machines) => {
        const to = from + 2 * DAY;
        const { slots, takenAt } = simulate({ schedule, from, to, machines });
        expect(iso(slots)).toEqual(iso(walk(schedule, from, to)));
        expect([...takenAt].every(([slot, real]) => slot === real)).toBe(true);
      }),
      { numRuns: 30 },
    );
  }, 60_000);

  test("after it slept for three days catches up once, with the newest slot, and goes on", () => {
    fc.assert(
      fc.property(schedules, starts, fc.integer({ min: 1, max: 2 }), (schedule, from, machines) => {
        const [sleeps, wakes] = [from + DAY, from + 4 * DAY];
        const to = wakes + 2 * DAY;
        const isAsleep = (real: number) => real >= sleeps && real < wakes;
        const { slots } = simulate({ schedule, from, to, machines, isAsleep });
        const missed = walk(schedule, sleeps, wakes);
        const expected = [
          ...walk(schedule, from, sleeps - 1),
          ...missed.slice(-1),
          ...walk(schedule, wakes + 1, to),
        ];
        expect(iso(slots)).toEqual(iso(expected));
      }),
      { numRuns: 20 },
    );
  }, 60_000);

  test("does not pile up where a backup outlasts its interval: the next one is the newest slot, once", () => {
    fc.assert(
      fc.property(starts, fc.integer({ min: 1, max: 200 }), (from, minutes) => {
        const schedule: Schedule = { every: "20m" };
        const to = from + DAY;
        const { slots, attempts } = simulate({
          schedule,
          from,
          to,
          tickMs: MINUTE,
          durationMs: () => minutes * MINUTE,
        });
        // One after another, and none waits for its turn.
        for (const [i, begun] of attempts.entries())
          expect(begun - (attempts[i - 1] ?? -Infinity)).toBeGreaterThanOrEqual(minutes * MINUTE);
        expect(slots.length).toBeLessThanOrEqual(attempts.length);
        for (const begun of attempts) {
          const newest = Math.floor(begun / (20 * MINUTE)) * 20 * MINUTE;
          if (begun + minutes * MINUTE <= to) expect(slots).toContain(newest);
        }
      }),
      { numRuns: 40 },
    );
  }, 60_000);

  test("that fails tries again after pauses that grow, and takes the slot that is due by then", () => {
    const from = at("2026-05-01T00:00:00Z");
    const isFailing = (real: number) => real < at("2026-05-02T09:00:00Z");
    const { slots, attempts } = simulate({
      schedule: { daily: "03:00" },
      from,
      to: from + 3 * DAY,
      tickMs: MINUTE,
      isFailing,
    });
    expect(iso(slots)).toEqual(["2026-05-02T03:00:00.000Z", "2026-05-03T03:00:00.000Z"]);
    const pauses = attempts.slice(1).map((begun, i) => (begun - (attempts[i] ?? 0)) / MINUTE);
    expect(pauses.slice(0, 7)).toEqual([1, 2, 4, 8, 16, 32, 60]);
    // No more than one an hour from then on.
    expect(attempts.length).toBeLessThan(45);
  });

  test("by a clock that jumps ahead and back takes no slot twice, and goes on as soon as it is right", () => {
    fc.assert(
      fc.property(
        schedules,
        starts,
        fc.array(fc.tuple(fc.nat(24), fc.integer({ min: -400, max: 400 * 24 })), { maxLength: 4 }),
        fc.integer({ min: 1, max: 2 }),
        (schedule, from, jumps, machines) => {
          const right = from + DAY;
          const to = right + 2 * DAY;
          const aheadMs = (real: number) =>
            real >= right ? 0 : (jumps.findLast(([hour]) => from + hour * HOUR <= real)?.[1] ?? 0) * HOUR;
          const { slots } = simulate({ schedule, from, to, machines, aheadMs });
          expect(new Set(slots).size).toBe(slots.length);
          // Each slot of the time after it is right is there: none was skipped for what had been noted before.
          expect(slots).toEqual(expect.arrayContaining(walk(schedule, right + longestGapMs(schedule), to)));
        },
      ),
      { numRuns: 20 },
    );
  }, 60_000);
});
