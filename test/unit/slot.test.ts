import fc from "fast-check";
import { expect, test } from "vitest";
import { formatSlot, parseSlot } from "../../provider/core/slot";

const instants = fc.integer({
  min: Date.parse("0000-01-01T00:00:00Z"),
  max: Date.parse("9999-12-31T23:59:59.999Z"),
});

test("a slot is spelt with milliseconds, in UTC", () => {
  expect(formatSlot(Date.parse("2026-03-29T01:02:03.004Z"))).toBe("20260329T010203004Z");
});

test("every instant reads back as it was written", () => {
  fc.assert(
    fc.property(instants, (slot) => {
      expect(parseSlot(formatSlot(slot))).toBe(slot);
    }),
  );
});

test("what reads as an instant is spelt so, and nothing else reads as one", () => {
  // Of letters, and of dates that there are not, hardly any two come together by themselves.
  const two = (most: number) => fc.integer({ min: 0, max: most }).map((n) => String(n).padStart(2, "0"));
  const spellings = fc
    .tuple(
      two(99),
      two(99),
      two(14),
      two(33),
      two(25),
      two(61),
      two(61),
      fc.constantFrom("000", "999", "0a0"),
    )
    .map(([century, year, month, day, hour, minute, second, ms]) =>
      [century, year, month, day, "T", hour, minute, second, ms, "Z"].join(""),
    );
  fc.assert(
    fc.property(spellings, (text) => {
      const iso = text.replace(/^(....)(..)(..)T(..)(..)(..)(...)Z$/, "$1-$2-$3T$4:$5:$6.$7Z");
      const instant = Date.parse(iso);
      const isOne = !Number.isNaN(instant) && new Date(instant).toISOString() === iso;
      expect(parseSlot(text)).toBe(isOne ? instant : undefined);
    }),
  );
});

test("names sort as the instants do", () => {
  fc.assert(
    fc.property(instants, instants, (a, b) => {
      expect(formatSlot(a) < formatSlot(b)).toBe(a < b);
    }),
  );
});

test.each([
  "",
  "20260329T010203Z",
  "20260329T010203004",
  "20260230T000000000Z",
  "20260329T240000000Z",
  "20260329T016003004Z",
  "20260329T010203004Z ",
  "20260329T0102 3004Z",
  "20260329T01020300-Z",
  "20260329 010203004Z",
  "20260329T0102030040",
  "20260029T010203004Z",
  "20261329T010203004Z",
  "20260300T010203004Z",
  "20250229T010203004Z",
  "20260329T010260004Z",
  "2026-03-29T01:02:03.004Z",
])("%j is no slot", (text) => {
  expect(parseSlot(text)).toBeUndefined();
});

test("an instant that the spelling has no room for is refused", () => {
  expect(() => formatSlot(Date.parse("+010000-01-01T00:00:00Z"))).toThrow(RangeError);
});
