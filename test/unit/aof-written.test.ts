import fc from "fast-check";
import { expect, test } from "vitest";
import { aofMark, failsToWrite, hasReached } from "../../provider/redis/aof-written";

const WRITING = {
  aof_enabled: 1,
  aof_rewrites: 3,
  aof_current_size: 1_000,
  aof_buffer_length: 0,
  aof_last_bgrewrite_status: "ok",
  aof_last_write_status: "ok",
};
const infoOf = (fields: Record<string, string | number>) =>
  new Map(Object.entries(fields).map(([name, value]) => [name, String(value)]));

test("an AOF holds what a server had once its file has grown by all that waited for the disk then", () => {
  const size = fc.nat(1_000_000);
  fc.assert(
    fc.property(size, size, size, size, (file, waiting, grown, waitingNow) => {
      const mark = aofMark(infoOf({ ...WRITING, aof_current_size: file, aof_buffer_length: waiting }));
      // What is written meanwhile need not be waited for.
      const now = { ...WRITING, aof_current_size: file + grown, aof_buffer_length: waitingNow };
      expect(hasReached(infoOf(now), mark)).toBe(grown >= waiting);
    }),
  );
});

test("an AOF that was written anew says nothing about an earlier mark", () => {
  const mark = aofMark(infoOf(WRITING));
  expect(hasReached(infoOf({ ...WRITING, aof_rewrites: 4, aof_current_size: 9_999 }), mark)).toBeUndefined();
});

test("a server without an AOF has nothing to write, and never fails to", () => {
  const none = infoOf({ aof_enabled: 0, aof_last_bgrewrite_status: "err", aof_last_write_status: "err" });
  expect(hasReached(none, aofMark(none))).toBe(true);
  expect(failsToWrite(none)).toBe(false);
});

test.each(["aof_last_bgrewrite_status", "aof_last_write_status"])(
  "a server fails to write where %s says so",
  (field) => {
    expect(failsToWrite(infoOf(WRITING))).toBe(false);
    expect(failsToWrite(infoOf({ ...WRITING, [field]: "err" }))).toBe(true);
  },
);
