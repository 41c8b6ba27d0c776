import { describe, expect, test } from "vitest";
import { Failure } from "../../provider/core/errors";
import type { SyncStatus } from "../../provider/core/status";
import { linkHistory, type BrokenTransfers } from "../../provider/redis/link-history";
import { syncProblem, unloadable, type LeaderLook } from "../../provider/redis/sync-causes";

const MIB = 1024 ** 2;
const infoOf = (fields: Record<string, string | number>) =>
  new Map(Object.entries(fields).map(([name, value]) => [name, String(value)]));

const LEADER = infoOf({ role: "master", loading: 0, rdb_last_bgsave_status: "ok" });
const FOLLOWER = infoOf({ role: "slave", aof_last_bgrewrite_status: "ok" });
const CONNECTING: SyncStatus = { state: "connecting" };
const RECEIVING: SyncStatus = { state: "syncing", catchingUp: false, doneBytes: MIB };
const BROKEN: BrokenTransfers = { times: 3, afterBytes: 2 * MIB, turnedAway: undefined, writtenBytes: MIB };

function failed(code: string, transient = true): LeaderLook {
  const report = { code, operation: "follow", subject: "the leader x:1", cause: "it says so", transient };
  return { failure: new Failure({ ...report, hint: "Do something" }) };
}

interface Case {
  readonly what: string;
  readonly status?: SyncStatus;
  readonly follower?: ReadonlyMap<string, string>;
  readonly leader?: LeaderLook;
  readonly broken?: BrokenTransfers;
  /** Absent: nothing. */
  readonly code?: string;
  readonly hopelessAfterMs?: number;
  readonly cause?: RegExp;
}

const CASES: readonly Case[] = [
  { what: "a link that is down for no reason that shows" },
  {
    what: "a wrong password",
    leader: failed("wrong-password", false),
    code: "wrong-password",
    hopelessAfterMs: 1_000,
  },
  {
    what: "a leader that nobody answers for",
    leader: failed("refused"),
    code: "refused",
    cause: /^the leader x:1: it/,
  },
  { what: "a leader that lets nobody in while it loads", leader: failed("loading"), code: "leader-loading" },
  { what: "a leader that loads", leader: { info: infoOf({ loading: 1 }) }, code: "leader-loading" },
  {
    what: "a leader that can't be reached while its snapshot is received",
    status: RECEIVING,
    leader: failed("too-many-clients"),
  },
  {
    what: "a leader whose own link is down",
    leader: {
      info: infoOf({ role: "slave", master_host: "above", master_port: 7, master_link_status: "down" }),
    },
    code: "leader-link-down",
    cause: /follows above:7, has no link/,
  },
  {
    what: "a leader that follows another one as it should",
    leader: { info: infoOf({ role: "slave", master_link_status: "up" }) },
  },
  {
    what: "a leader that can't write a snapshot",
    leader: { info: infoOf({ role: "master", rdb_last_bgsave_status: "err" }) },
    code: "leader-cannot-save",
  },
  {
    what: "a leader that could not write one once, and sends one now",
    status: RECEIVING,
    leader: { info: infoOf({ role: "master", rdb_last_bgsave_status: "err" }) },
  },
  {
    what: "transfers that the leader says it broke off",
    broken: { ...BROKEN, turnedAway: 3 },
    code: "output-buffer-limit",
    hopelessAfterMs: 0,
    cause: /broke the transfer of its snapshot off 3 times after 2\.0 MiB at most: what it wrote meanwhile/,
  },
  {
    what: "one transfer that the leader says it broke off: the next may last",
    broken: { ...BROKEN, times: 1, turnedAway: 1 },
    code: "output-buffer-limit",
    cause: /off once after/,
  },
  {
    what: "transfers that an older leader broke off while it was written to",
    status: RECEIVING,
    broken: BROKEN,
    code: "transfer-broken",
    cause: /most often its client-output-buffer-limit for replicas is too small/,
  },
  {
    what: "transfers that broke off though the leader turned nobody away",
    broken: { ...BROKEN, turnedAway: 0 },
    code: "transfer-broken",
    cause: /and not by the leader's client-output-buffer-limit/,
  },
  {
    what: "transfers that broke off while nobody wrote to an older leader",
    broken: { ...BROKEN, writtenBytes: 28, afterBytes: 0 },
    code: "transfer-broken",
    cause: /broke off 3 times, and not by/,
  },
  {
    what: "transfers that broke off before the one that was whole",
    status: { state: "syncing", catchingUp: true, doneBytes: 0 },
    broken: { ...BROKEN, turnedAway: 9 },
  },
  { what: "a snapshot that is being loaded", status: { state: "loading" }, broken: BROKEN },
  { what: "a follower that is about to be on disk", status: { state: "synced", durable: false } },
  {
    what: "a follower that can't write to its disk",
    status: { state: "synced", durable: false },
    follower: infoOf({ aof_last_bgrewrite_status: "err" }),
    code: "not-durable",
  },
];

describe("why a follower is not in sync", () => {
  for (const {
    what,
    status = CONNECTING,
    follower = FOLLOWER,
    leader = { info: LEADER },
    broken,
    ...wanted
  } of CASES)
    test(`${what}: ${wanted.code ?? "nothing"}`, () => {
      const problem = syncProblem({ status, follower, leader, broken });
      expect(problem?.code).toBe(wanted.code);
      if (problem === undefined) return;
      expect(problem.hopelessAfterMs).toBe(wanted.hopelessAfterMs);
      expect(problem.cause).toMatch(wanted.cause ?? /./);
      expect(problem.hint).not.toBe("");
    });

  test("a snapshot of a server that is too new is told with both versions and what its platform found", () => {
    const [old, newer] = [infoOf({ redis_version: "7.0.15" }), infoOf({ redis_version: "7.4.1" })];
    expect(unloadable(old, newer)).toMatchObject({ code: "snapshot-format" });
    expect(unloadable(old, newer).cause).toContain(
      "of version 7.0.15 can't load the snapshot of a leader of version 7.4.1",
    );
    expect(unloadable(old, newer, "its log says so").cause).toBe("its log says so");
    expect(unloadable(newer, old)).toMatchObject({ code: "snapshot-not-loaded" });
    expect(unloadable(newer, undefined, "it is damaged").cause).toBe("it is damaged");
  });
});

describe("what was seen of a link", () => {
  const down = (errors = 0) =>
    infoOf({ master_link_status: "down", unexpected_error_replies: errors, run_id: "f" });
  const up = (errors = 0, run = "f") =>
    infoOf({ master_link_status: "up", unexpected_error_replies: errors, run_id: run });
  const leader = (fields: Record<string, number>, run = "l") => infoOf({ run_id: run, ...fields });

  test("counts transfers that ended before they were whole, and none that was", () => {
    const history = linkHistory();
    const look = (status: SyncStatus, follower = down()) => history.look({ status, follower });
    look({ state: "waiting" });
    look({ ...RECEIVING, doneBytes: 5 * MIB });
    expect(history.broken()).toBeUndefined();
    look(CONNECTING);
    look(RECEIVING);
    // The next one had begun between two looks.
    look({ ...RECEIVING, doneBytes: 10 });
    expect(history.broken()).toMatchObject({ times: 2, afterBytes: 5 * MIB });
    look({ state: "loading" }, infoOf({ master_link_status: "down", loading: 1 }));
    look({ state: "synced", durable: true }, up());
    expect(history.broken()).toMatchObject({ times: 2 });
  });

  test("counts by the leader's snapshots where they are more, and tells what the leader did meanwhile", () => {
    const history = linkHistory();
    const counts = { sync_full: 4, client_output_buffer_limit_disconnections: 1, master_repl_offset: 100 };
    history.look({ status: CONNECTING, follower: down(), leader: leader(counts) });
    const later = { sync_full: 9, client_output_buffer_limit_disconnections: 5, master_repl_offset: 350 };
    history.look({ status: CONNECTING, follower: down(), leader: leader(later) });
    history.look({ status: CONNECTING, follower: down() });
    expect(history.broken()).toEqual({ times: 4, afterBytes: 0, turnedAway: 4, writtenBytes: 250 });
  });

  test("says nothing of counts of a leader that was started anew in between", () => {
    const history = linkHistory();
    history.look({ status: CONNECTING, follower: down(), leader: leader({ sync_full: 4 }) });
    history.look({ status: CONNECTING, follower: down(), leader: leader({ sync_full: 9 }, "another") });
    expect(history.broken()).toBeUndefined();
  });

  test("counts errors from the moment that the link came up, in each life of the follower's server", () => {
    const history = linkHistory();
    expect(history.errorsBefore()).toBeUndefined();
    history.look({ status: CONNECTING, follower: down(7) });
    history.look({ status: CONNECTING, follower: up(9) });
    expect(history.errorsBefore()).toBe(7);
    history.look({ status: CONNECTING, follower: up(2, "another") });
    expect(history.errorsBefore()).toBe(2);
  });
});
