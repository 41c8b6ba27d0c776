import { describe, expect, test } from "vitest";
import type { SyncStatus } from "../../provider/core/status";
import { classifySync, syncWords } from "../../provider/redis/sync-status";

const MIB = 1024 ** 2;

const LINKED = {
  role: "slave",
  loading: 0,
  master_link_status: "up",
  master_last_io_seconds_ago: 1,
  master_sync_in_progress: 0,
  slave_read_repl_offset: 1000,
  slave_repl_offset: 1000,
  master_replid: "a",
  aof_enabled: 1,
  aof_rewrite_in_progress: 0,
  aof_rewrite_scheduled: 0,
  aof_last_bgrewrite_status: "ok",
  unexpected_error_replies: 0,
};
const DOWN = { ...LINKED, master_link_status: "down", master_last_io_seconds_ago: -1 };
const RECEIVING = { ...DOWN, master_sync_in_progress: 1, master_sync_total_bytes: 0 };
const LEADER = { role: "master", master_replid: "a", master_repl_offset: 1010, used_memory_dataset: 4 * MIB };

const infoOf = (fields: Record<string, string | number>) =>
  new Map(Object.entries(fields).map(([name, value]) => [name, String(value)]));

interface Case {
  readonly what: string;
  readonly follower: Record<string, string | number>;
  readonly leader?: Record<string, string | number>;
  readonly errorsBefore?: number;
  readonly words: string;
  readonly state: SyncStatus["state"];
}

const CASES: readonly Case[] = [
  { what: "a link that is down", follower: DOWN, state: "connecting", words: "connecting to the leader" },
  {
    what: "a transfer that hasn't begun",
    follower: { ...RECEIVING, master_sync_read_bytes: 0 },
    state: "waiting",
    words: "waiting for the leader's snapshot",
  },
  {
    what: "a transfer whose size the leader announced",
    follower: { ...RECEIVING, master_sync_read_bytes: MIB, master_sync_total_bytes: 2 * MIB },
    state: "syncing",
    words: "receiving the leader's snapshot, 1.0 MiB (50 %)",
  },
  {
    what: "a transfer of unknown size from a leader whose memory is known",
    follower: { ...RECEIVING, master_sync_read_bytes: MIB },
    leader: LEADER,
    state: "syncing",
    words: "receiving the leader's snapshot, 1.0 MiB (~25 %)",
  },
  {
    what: "a transfer of unknown size that has passed the guess",
    follower: { ...RECEIVING, master_sync_read_bytes: 5 * MIB },
    leader: LEADER,
    state: "syncing",
    words: "receiving the leader's snapshot, 5.0 MiB",
  },
  {
    what: "a transfer of which nothing is known",
    follower: { ...RECEIVING, master_sync_read_bytes: MIB },
    state: "syncing",
    words: "receiving the leader's snapshot, 1.0 MiB",
  },
  {
    what: "a snapshot that is being loaded",
    follower: { ...RECEIVING, loading: 1, loading_loaded_perc: "41.70" },
    state: "loading",
    words: "loading the data, 41 %",
  },
  {
    what: "more than a MiB behind",
    follower: LINKED,
    leader: { ...LEADER, master_repl_offset: 1000 + MIB + 1 },
    state: "syncing",
    words: "catching up with the leader",
  },
  {
    what: "a MiB behind",
    follower: LINKED,
    leader: { ...LEADER, master_repl_offset: 1000 + MIB },
    state: "synced",
    words: "synced",
  },
  {
    what: "more received than applied, where the leader can't be asked",
    follower: { ...LINKED, slave_read_repl_offset: 1000 + MIB + 1 },
    state: "syncing",
    words: "catching up with the leader",
  },
  {
    what: "a leader whose history it was not told, as one that refused PSYNC and took SYNC, so that offsets say nothing",
    follower: LINKED,
    leader: { ...LEADER, master_replid: "b", master_repl_offset: 10 ** 12 },
    state: "synced",
    words: "synced",
  },
  {
    what: "a first AOF that is still being written",
    follower: { ...LINKED, aof_rewrite_in_progress: 1 },
    state: "synced",
    words: "synced, writing the data to disk",
  },
  {
    what: "a first AOF that is still to be written",
    follower: { ...LINKED, aof_rewrite_scheduled: 1 },
    state: "synced",
    words: "synced, writing the data to disk",
  },
  {
    what: "an AOF that could not be written",
    follower: { ...LINKED, aof_last_bgrewrite_status: "err" },
    state: "synced",
    words: "synced, writing the data to disk",
  },
  { what: "no persistence", follower: { ...LINKED, aof_enabled: 0 }, state: "synced", words: "synced" },
  {
    what: "a leader that has been silent for longer than it pings",
    follower: { ...LINKED, master_last_io_seconds_ago: 16 },
    state: "connecting",
    words: "connecting: the leader has been silent for 16 s",
  },
  {
    what: "commands that failed since the link came up",
    follower: { ...LINKED, unexpected_error_replies: 8 },
    errorsBefore: 7,
    state: "broken",
    words: "broken: commands of the leader failed here, so the two differ",
  },
  {
    what: "commands that failed before",
    follower: { ...LINKED, unexpected_error_replies: 7 },
    errorsBefore: 7,
    state: "synced",
    words: "synced",
  },
  {
    what: "a server that follows nobody",
    follower: { role: "master", loading: 0 },
    state: "broken",
    words: "broken: it follows nobody",
  },
];

describe("a follower's sync status", () => {
  for (const { what, follower, leader, errorsBefore, state, words } of CASES)
    test(`${what}: ${words}`, () => {
      const status = classifySync({
        follower: infoOf(follower),
        leader: leader === undefined ? undefined : infoOf(leader),
        unexpectedErrorsBefore: errorsBefore,
      });
      // What observes is what is shown.
      const shown: SyncStatus = status;
      expect(shown.state).toBe(state);
      expect(syncWords(status)).toBe(words);
    });

  test("tells how far behind it is where the leader can be asked, and never less than nothing", () => {
    const lag = (offset: number) =>
      classifySync({ follower: infoOf(LINKED), leader: infoOf({ ...LEADER, master_repl_offset: offset }) })
        .lagBytes;
    expect(lag(1010)).toBe(10);
    expect(lag(990)).toBe(0);
    expect(classifySync({ follower: infoOf(LINKED) })).not.toHaveProperty("lagBytes");
  });

  test("is never synced with a link that is down, a load or a transfer under way", () => {
    for (const follower of [
      DOWN,
      RECEIVING,
      { ...LINKED, loading: 1 },
      { ...LINKED, master_sync_in_progress: 1 },
    ])
      expect(classifySync({ follower: infoOf(follower) }).state).not.toBe("synced");
  });
});
