import fc from "fast-check";
import { expect, test } from "vitest";
import { collecting } from "../../provider/backup/collect-slots";
import { formatSlot } from "../../provider/core/slot";
import type { StoredObject } from "../../provider/stores/contract";

const CATALOG = "cache-12345678";
const FIRST = Date.parse("2026-05-01T03:00:00.123Z");
const DAY = 24 * 60 * 60_000;

const STRANGERS = ["notes.txt", "20260501T030000123Z", "20260501T030000123Z-.tar.gz"].map(
  (name) => `${CATALOG}/${name}`,
);

/** More than there is room for at first, and each as long as a name can be. */
const attempts = fc.stringMatching(/^[A-Za-z0-9]{1,200}$/);
const endings = fc.oneof(
  fc.constantFrom(".json", ".json", ".pin", ".verified.json", ".checked.json", ".damaged.json"),
  attempts.map((attempt) => `-${attempt}.tar.gz`),
  attempts.map((attempt) => `-${attempt}.tar.gz.age`),
  attempts.map((holder) => `.restoring-${holder}`),
);
const objects: fc.Arbitrary<StoredObject> = fc.record({
  key: fc.oneof(
    { weight: 9, arbitrary: fc.tuple(fc.nat(60), endings).map(([day, end]) => keyOf(day, end)) },
    {
      weight: 1,
      arbitrary: fc.constantFrom(...STRANGERS),
    },
  ),
  sizeBytes: fc.maxSafeNat(),
  modifiedAt: fc.nat(3 * DAY).map((after) => FIRST + after),
});

function keyOf(day: number, ending: string): string {
  return `${CATALOG}/${formatSlot(FIRST + day * DAY)}${ending}`;
}

test("whatever the order of a listing, each object is found again at its slot, or as an orphan", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(objects, { selector: ({ key }) => key, maxLength: 400, size: "max" }),
      (all) => {
        const collected = collecting(CATALOG);
        for (const object of all) collected.add(object);
        const { backups, orphans, reachedAt } = collected.catalog();
        expect(reachedAt).toBe(Math.max(-Infinity, ...all.map(({ modifiedAt }) => modifiedAt)));

        const expected = Array.from({ length: 61 }, (_, day) => {
          const from = keyOf(day, "");
          const mine = all.filter(({ key }) => key.startsWith(from) && !STRANGERS.includes(key));
          const ends = (end: RegExp) => mine.filter(({ key }) => end.test(key.slice(from.length)));
          return { day, mine, ends, name: from.slice(CATALOG.length + 1) };
        });
        const there = expected.filter(({ ends }) => ends(/^\.json$/).length > 0);
        expect(backups.map(({ name }) => name)).toEqual(there.map(({ name }) => name));
        for (const [index, { day, ends, mine }] of there.entries()) {
          const backup = backups[index];
          const archives = ends(/^-/);
          const holds = ends(/^\.restoring/);
          const worst = ["damaged", "checked", "verified"].find(
            (one) => ends(new RegExp(`^.${one}`)).length > 0,
          );
          expect(backup).toMatchObject({
            slot: FIRST + day * DAY,
            pinned: ends(/^\.pin$/).length > 0,
            held: holds.some(({ modifiedAt }) => reachedAt - modifiedAt <= DAY),
            hasArchive: archives.length > 0,
          });
          expect(backup?.verification).toBe(worst === "checked" ? "structure-checked" : worst);
          expect(backup?.archives).toEqual(archives);
          expect(backup?.holds).toEqual(holds);
          const rest = mine.filter((object) => !archives.includes(object) && !holds.includes(object));
          expect(backup?.endings).toEqual(rest.map(({ key }) => key.slice(keyOf(day, "").length)).sort());
        }
        const left = expected.filter((slot) => !there.includes(slot)).flatMap(({ mine }) => mine);
        expect(orphans).toEqual(left.sort((a, b) => (a.key < b.key ? -1 : 1)));
      },
    ),
    { numRuns: 200 },
  );
});
