import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { VERIFICATION_OUTCOMES, type VerificationOutcome } from "../../provider/core/verification";
import { type Retention, RetentionSchema, type Retainable, retain } from "../../provider/core/retention";

const DAY = 86_400_000;
const NOW = Date.parse("2026-05-10T12:00:00Z");
const aged = (days: number, pinned = false): Retainable => ({ slot: NOW - days * DAY, pinned });
const found = (days: number, verification: VerificationOutcome): Retainable => ({
  ...aged(days),
  verification,
});
const kept = (backups: readonly Retainable[], retention: Retention, now = NOW) =>
  retain(backups, retention, now).map(({ keep }) => keep);

describe("what a retention may be", () => {
  test.each([{ days: 7 }, { keepLast: 3 }, { days: 1, keepLast: 1, minimum: 5 }])(
    "%j is one",
    (retention) => {
      expect(RetentionSchema.parse(retention)).toEqual(retention);
    },
  );

  test.each([
    [{}, /\{ days: 7 \}, \{ keepLast: 10 \} or both/],
    [{ minimum: 2 }, /say how long/],
    [{ days: 0 }, /whole number of days, at least 1/],
    [{ days: 1.5 }, /whole number of days/],
    [{ keepLast: -1 }, /whole number of backups/],
    [{ days: "7" }, /whole number of days/],
    [{ days: 7, weeks: 1 }, /weeks/],
  ])("%j is none, and it says why", (input, message) => {
    expect(RetentionSchema.safeParse(input).error?.message).toMatch(message);
  });
});

describe("what is kept", () => {
  test("is what is younger than the days, with its reasons", () => {
    expect(retain([aged(0.5), aged(7), aged(7.001)], { days: 7, minimum: 1 }, NOW)).toEqual([
      { backup: aged(0.5), keep: true, reasons: ["at most 7 days old", "the newest"] },
      { backup: aged(7), keep: true, reasons: ["at most 7 days old"] },
      { backup: aged(7.001), keep: false, reasons: ["older than 7 days"] },
    ]);
  });

  test("is what either rule wants", () => {
    const both = { days: 7, keepLast: 2, minimum: 1 };
    expect(kept([aged(1), aged(20), aged(30)], both)).toEqual([true, true, false]);
    expect(retain([aged(30), aged(1), aged(2)], both, NOW)[0]?.reasons).toEqual([
      "older than 7 days",
      "not among the last 2",
    ]);
  });

  test("is the newest, however old, and as many as the minimum says", () => {
    expect(kept([aged(100), aged(101)], { keepLast: 1 })).toEqual([true, false]);
    expect(kept([aged(100), aged(101)], { days: 7, minimum: 1 })).toEqual([true, false]);
    expect(kept([aged(100), aged(101), aged(102)], { days: 7, minimum: 2 })).toEqual([true, true, false]);
  });

  test("is the newest three of a rule by days, so that a clock that jumps ahead for once leaves more than one", () => {
    const nine = NOW + 9 * 365 * DAY;
    const taken = { slot: nine, pinned: false };
    expect(kept([aged(3), aged(2), aged(1), taken], { days: 7 }, nine)).toEqual([false, true, true, true]);
    expect(retain([aged(1), aged(2), taken], { days: 7 }, nine)[1]).toMatchObject({
      reasons: ["among the 3 that always stay"],
    });
  });

  test("is what an earlier add-on of the name left, which does not count as the newest either", () => {
    const createdAt = NOW - 30 * DAY;
    const backups = [aged(300), aged(30.001), aged(30), aged(20), aged(10)];
    const verdicts = retain(backups, { keepLast: 1 }, NOW, createdAt);
    expect(verdicts.map(({ keep }) => keep)).toEqual([true, true, false, false, true]);
    expect(verdicts[1]?.reasons).toEqual(["of an earlier add-on of this name"]);
    expect(retain([aged(31)], { keepLast: 1 }, NOW, createdAt)[0]?.reasons).toHaveLength(1);
  });

  test("does not grow for ever because the add-on was made when the clock was ahead", () => {
    const verdicts = retain([aged(2), aged(1)], { keepLast: 1 }, NOW, NOW + 365 * DAY);
    expect(verdicts.map(({ keep }) => keep)).toEqual([false, true]);
  });

  test("is what is pinned", () => {
    expect(kept([aged(1), aged(100, true)], { days: 7 })).toEqual([true, true]);
  });

  test("is what is dated in the future, which does not count as the newest", () => {
    expect(kept([aged(-1), aged(100), aged(101)], { keepLast: 1 })).toEqual([true, true, false]);
  });

  test("is the newest verified one, however old, beside the newest of all", () => {
    const backups = [found(50, "verified"), found(40, "verified"), aged(30), found(20, "structure-checked")];
    const verdicts = retain(backups, { keepLast: 1 }, NOW);
    expect(verdicts.map(({ keep }) => keep)).toEqual([false, true, false, true]);
    expect(verdicts[1]?.reasons).toEqual(["the newest verified"]);
    expect(verdicts[3]?.reasons).toEqual(["among the last 1", "the newest"]);
  });

  test("is no damaged one at a good one's expense: it goes by age, or with the place that it has among the last", () => {
    const backups = [aged(50), aged(40), found(35, "damaged"), aged(30), found(20, "damaged")];
    expect(kept(backups, { keepLast: 2 })).toEqual([false, true, true, true, true]);
    const byDays = retain(backups, { days: 7, minimum: 2 }, NOW);
    expect(byDays.map(({ keep }) => keep)).toEqual([false, true, false, true, false]);
    expect(byDays[4]?.reasons).toEqual([
      "older than 7 days",
      "damaged, so it is not among those that always stay",
    ]);
    expect(kept([found(3, "damaged")], { days: 7 })).toEqual([true]);
  });

  const backups = fc.uniqueArray(
    fc.record({
      slot: fc.integer({ min: -5, max: 60 }).map((days) => NOW - (days * DAY) / 2),
      pinned: fc.boolean(),
      verification: fc.option(fc.constantFrom(...VERIFICATION_OUTCOMES), { nil: undefined }),
    }),
    { selector: ({ slot }) => slot, maxLength: 30 },
  );
  const count = fc.integer({ min: 1, max: 12 });
  /** Of the add-on, in days; below 0 it was made when the clock was ahead. */
  const ages = fc.integer({ min: -3, max: 40 });
  const retentions = fc.oneof(
    fc.record({ days: count, keepLast: count, minimum: count }, { requiredKeys: ["days"] }),
    fc.record({ keepLast: count, minimum: count }, { requiredKeys: ["keepLast"] }),
  ) as fc.Arbitrary<Retention>;

  test("is what a model that counts one by one keeps", () => {
    fc.assert(
      fc.property(backups, retentions, ages, (all, retention, age) => {
        const createdAt = NOW - age * DAY;
        for (const { backup, keep, reasons } of retain(all, retention, NOW, createdAt)) {
          const isOurs = ({ slot }: Retainable) => slot <= NOW && !(age >= 0 && slot < createdAt);
          const isDamaged = backup.verification === "damaged";
          const newer = all.filter((other) => other.slot > backup.slot && isOurs(other));
          const good = newer.filter(({ verification }) => verification !== "damaged").length;
          const expected =
            backup.pinned ||
            !isOurs(backup) ||
            (retention.days !== undefined && backup.slot >= NOW - retention.days * DAY) ||
            (retention.keepLast !== undefined && good < retention.keepLast) ||
            (!isDamaged && good < (retention.minimum ?? (retention.days === undefined ? 1 : 3))) ||
            (backup.verification === "verified" &&
              newer.every(({ verification }) => verification !== "verified"));
          expect(keep).toBe(expected);
          expect(reasons).not.toHaveLength(0);
        }
      }),
    );
  });

  test("is always as many good ones as without the damaged ones", () => {
    fc.assert(
      fc.property(backups, retentions, (all, retention) => {
        const isGood = ({ verification }: Retainable) => verification !== "damaged";
        const keptGood = (list: Retainable[]) =>
          retain(list, retention, NOW).flatMap(({ backup, keep }) =>
            keep && isGood(backup) ? [backup] : [],
          );
        expect(keptGood(all)).toEqual(keptGood(all.filter(isGood)));
      }),
    );
  });

  test("does not depend on the order of the listing", () => {
    fc.assert(
      fc.property(backups, retentions, ages, (all, retention, age) => {
        const removed = (list: Retainable[]) =>
          retain(list, retention, NOW, NOW - age * DAY)
            .filter(({ keep }) => !keep)
            .map(({ backup }) => backup.slot)
            .sort((a, b) => a - b);
        expect(removed(all.toReversed())).toEqual(removed(all));
      }),
    );
  });

  test("only shrinks as time passes: nothing that was removed would have been wanted later", () => {
    fc.assert(
      fc.property(backups, retentions, fc.nat(20), (all, retention, days) => {
        const past = all.filter(({ slot }) => slot <= NOW);
        const later = retain(past, retention, NOW + days * DAY);
        retain(past, retention, NOW).forEach(({ keep }, index) => {
          if (!keep) expect(later[index]?.keep).toBe(false);
        });
      }),
    );
  });
});
