import { expect, test } from "vitest";
import { seconds } from "../../../sdk/duration";

test.each([
  ["90s", 90],
  ["1h30m", 5400],
  ["1.5m", 90],
  ["250ms", 0.25],
  ["1m0s", 60],
])("%s is %d seconds, as Go counts them", (text, expected) => {
  expect(seconds(text)).toBe(expected);
});

test.each(["", "5", "5 minutes", "m5", "-5m"])("%j is left for the engine to refuse", (text) => {
  expect(seconds(text)).toBeUndefined();
});

test("no duration is none", () => {
  expect(seconds(undefined)).toBeUndefined();
});
