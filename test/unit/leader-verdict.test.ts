import fc from "fast-check";
import { expect, test } from "vitest";
import { leaderVerdict } from "../../provider/agent/replication/guard/leader-verdict";
import type { Info } from "../../provider/redis/info";

const HISTORY = "a".repeat(40);
const OTHER = "b".repeat(40);

function info(fields: Record<string, string | number>, keys = 0): Info {
  const all = Object.entries(fields).map(([name, value]) => [name, String(value)] as const);
  return new Map([...all, ...(keys === 0 ? [] : [["db0", `keys=${keys},expires=0,avg_ttl=0`] as const])]);
}

/** Up to offset 1,000 of the history. */
const follower = (keys: number) =>
  info({ role: "slave", master_replid: HISTORY, slave_repl_offset: 1_000 }, keys);

const backlog = (first: number, length: number) => ({
  repl_backlog_active: 1,
  repl_backlog_first_byte_offset: first,
  repl_backlog_histlen: length,
});

const leader = (fields: Record<string, string | number>, keys = 0) =>
  info({ role: "master", master_replid: OTHER, ...fields }, keys);

test.each([
  ["goes on with the follower's history", { master_replid: HISTORY, ...backlog(1, 1_500) }, "follow"],
  ["has nothing new", { master_replid: HISTORY, ...backlog(1, 1_000) }, "follow"],
  ["kept just what comes next", { master_replid: HISTORY, ...backlog(1_001, 10) }, "follow"],
  ["kept too little of it", { master_replid: HISTORY, ...backlog(1_002, 10) }, "lost"],
  ["has less of it than the follower", { master_replid: HISTORY, ...backlog(1, 900) }, "lost"],
  ["keeps no backlog", { master_replid: HISTORY, ...backlog(1, 1_500), repl_backlog_active: 0 }, "lost"],
  [
    "was a follower of the same leader, and had more of it",
    { master_replid2: HISTORY, second_repl_offset: 1_001, ...backlog(1, 2_000) },
    "follow",
  ],
  [
    "left that history before the follower did",
    { master_replid2: HISTORY, second_repl_offset: 1_000, ...backlog(1, 2_000) },
    "lost",
  ],
  ["has another history", backlog(1, 2_000), "lost"],
])("an empty leader that %s", (_, fields, kind) => {
  expect(leaderVerdict(leader(fields), follower(10)).kind).toBe(kind);
});

test("without a common history the number of keys decides, and is told", () => {
  expect(leaderVerdict(leader({}, 500), follower(1_000))).toEqual({ kind: "follow" });
  expect(leaderVerdict(leader({}, 499), follower(1_000))).toEqual({
    kind: "lost",
    leaderKeys: 499,
    followerKeys: 1_000,
  });
  expect(leaderVerdict(leader({}), follower(0))).toEqual({ kind: "follow" });
  expect(leaderVerdict(leader({}), follower(1)).kind).toBe("lost");
});

test("a leader that is still being filled is waited for, unless it has enough already", () => {
  expect(leaderVerdict(leader({ loading: 1 }, 900), follower(1_000))).toEqual({ kind: "wait" });
  expect(leaderVerdict(leader({ async_loading: 1 }), follower(1_000))).toEqual({ kind: "wait" });
  const syncing = { role: "slave", master_sync_in_progress: 1 };
  expect(leaderVerdict(leader(syncing, 10), follower(1_000))).toEqual({ kind: "wait" });
  expect(leaderVerdict(leader(syncing, 600), follower(1_000))).toEqual({ kind: "follow" });
});

test("an empty leader of another history never gets a follower's keys erased, whatever else it says", () => {
  const anything = fc.record({
    connected_slaves: fc.nat(),
    master_repl_offset: fc.nat(),
    second_repl_offset: fc.integer(),
    repl_backlog_active: fc.constantFrom(0, 1),
    repl_backlog_first_byte_offset: fc.nat(),
    repl_backlog_histlen: fc.nat(),
    loading: fc.constantFrom(0, 1),
  });
  fc.assert(
    fc.property(anything, fc.integer({ min: 1 }), (fields, keys) => {
      expect(leaderVerdict(leader(fields), follower(keys)).kind).not.toBe("follow");
    }),
  );
});
