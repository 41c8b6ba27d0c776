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
  "2026-03-29T01:02:03.004Z",
])("%j is no slot", (text) => {
  expect(parseSlot(text)).toBeUndefined();
});

test("an instant that the spelling has no room for is refused", () => {
  expect(() => formatSlot(Date.parse("+010000-01-01T00:00:00Z"))).toThrow(RangeError);
});
