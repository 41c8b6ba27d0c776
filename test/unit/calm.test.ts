import { expect, test } from "vitest";
import { calm } from "../../provider/core/calm";
import type { Progress } from "../../provider/core/task";

test("steps are told at once, and progress within one at most four times a second", () => {
  let now = 1_000;
  const told: Progress[] = [];
  const calmed = calm({
    signal: new AbortController().signal,
    clock: { now: () => now, sleep: () => Promise.resolve() },
    progress: (step) => told.push(step),
  });
  for (let doneBytes = 0; doneBytes < 100; doneBytes++, now += 10)
    calmed.progress({ message: "reading", doneBytes });
  expect(told.map(({ doneBytes }) => doneBytes)).toEqual([0, 25, 50, 75]);
  calmed.progress({ message: "writing" });
  expect(told.at(-1)).toEqual({ message: "writing" });
  // A clock that was set back by a year silences nothing.
  now -= 365 * 86_400_000;
  calmed.progress({ message: "writing", doneBytes: 1 });
  expect(told.at(-1)).toEqual({ message: "writing", doneBytes: 1 });
});
