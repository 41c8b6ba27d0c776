import fc from "fast-check";
import { expect, test } from "vitest";
import type { Info } from "../../provider/redis/info";
import { sharesHistory } from "../../provider/redis/preflight/shares-history";

const [OURS, OLDER, OTHER] = ["a", "b", "c"].map((letter) => letter.repeat(40)) as [string, string, string];

function info(fields: Readonly<Record<string, string | number>>): Info {
  return new Map(Object.entries(fields).map(([field, value]) => [field, String(value)]));
}

/** A leader that has the bytes 100 to 199 of its history `OURS`, which continues `OLDER` from its byte 150 on. */
const leader = (changes: Readonly<Record<string, string | number>> = {}) =>
  info({
    role: "master",
    master_replid: OURS,
    master_replid2: OLDER,
    second_repl_offset: 150,
    repl_backlog_active: 1,
    repl_backlog_first_byte_offset: 100,
    repl_backlog_histlen: 100,
    ...changes,
  });

/** A follower in sync that has applied everything up to this byte. */
const follower = (applied: number, changes: Readonly<Record<string, string | number>> = {}) =>
  info({
    role: "slave",
    master_link_status: "up",
    master_replid: OURS,
    slave_repl_offset: applied,
    ...changes,
  });

test.each([
  ["has all but the last byte", follower(198), leader(), true],
  ["has everything", follower(199), leader(), true],
  ["is one byte ahead of the leader", follower(200), leader(), false],
  ["lacks no more than the leader still has", follower(99), leader(), true],
  ["lacks a byte that the leader has dropped", follower(98), leader(), false],
  ["ended with the leader's earlier history", follower(149, { master_replid: OLDER }), leader(), true],
  ["went on with the leader's earlier history", follower(150, { master_replid: OLDER }), leader(), false],
  ["has another history", follower(150, { master_replid: OTHER }), leader(), false],
  ["tells no history", info({ role: "slave", slave_repl_offset: 150 }), leader(), false],
  ["follows a leader without a backlog", follower(150), leader({ repl_backlog_active: 0 }), false],
  ["follows one that shows nothing of it", follower(150), info({ master_replid: OURS }), false],
  ["is loading", follower(150, { loading: 1 }), leader(), false],
  ["is receiving a snapshot", follower(150, { master_sync_in_progress: 1 }), leader(), false],
  ["has lost its link and kept its place", follower(150, { master_link_status: "down" }), leader(), true],
  [
    "has dropped its place for a full sync",
    follower(1, { master_link_status: "down" }),
    leader({ repl_backlog_first_byte_offset: 1 }),
    false,
  ],
])("a follower that %s shares the leader's history: as Redis decides", (_, from, to, shares) => {
  expect(sharesHistory(from, to)).toBe(shares);
});

test.each([
  ["was the leader until the other was promoted", { master_replid: OLDER, master_repl_offset: 149 }, true],
  ["wrote on afterwards", { master_replid: OLDER, master_repl_offset: 150 }, false],
  ["was never anybody's", { master_replid: OTHER, master_repl_offset: 0 }, false],
  ["was never anybody's, at the same offset", { master_replid: OTHER, master_repl_offset: 199 }, false],
])("a server that leads and %s: as Redis decides", (_, fields, shares) => {
  expect(sharesHistory(info({ role: "master", ...fields }), leader())).toBe(shares);
});

test("no two servers without a common id share anything, whatever their numbers say", () => {
  const number = fc.integer({ min: -1, max: 300 });
  fc.assert(
    fc.property(fc.record({ applied: number, first: number, length: number, end: number }), (told) => {
      const to = leader({
        second_repl_offset: told.end,
        repl_backlog_first_byte_offset: told.first,
        repl_backlog_histlen: told.length,
      });
      expect(sharesHistory(follower(told.applied, { master_replid: OTHER }), to)).toBe(false);
    }),
  );
});

test("what is shared is a stretch without gaps that ends where the leader's history does", () => {
  const number = fc.integer({ min: 0, max: 60 });
  fc.assert(
    fc.property(number, number, (first, length) => {
      const to = leader({ repl_backlog_first_byte_offset: first, repl_backlog_histlen: length });
      const shared = Array.from({ length: 130 }, (_, applied) => applied).filter((applied) =>
        sharesHistory(follower(applied), to),
      );
      expect(shared.at(-1)).toBe(first + length - 1 < 0 ? undefined : first + length - 1);
      expect(shared).toHaveLength(length + Math.min(1, first));
    }),
  );
});
