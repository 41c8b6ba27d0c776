import { expect, test } from "vitest";
import { switchOverProblem } from "../../provider/redis/switch-over-problem";

const HISTORY = "0123456789abcdef0123456789abcdef01234567";
const GIVER = {
  redis_version: "7.2.4",
  role: "master",
  master_failover_state: "no-failover",
  master_replid: HISTORY,
  master_repl_offset: "1000",
  used_memory_dataset: "5000",
};
const RECEIVER = {
  redis_version: "7.2.4",
  role: "slave",
  master_link_status: "up",
  master_replid: HISTORY,
  slave_repl_offset: "1000",
  slave_read_repl_offset: "1000",
  master_last_io_seconds_ago: "0",
  maxmemory: "10000",
  aof_enabled: "1",
  aof_last_bgrewrite_status: "ok",
};

function problem(
  giver: Record<string, string> = {},
  receiver: Record<string, string> = {},
  databases = [5, 5],
) {
  const [givers = 0, receivers = 0] = databases;
  return switchOverProblem({
    giver: { name: "lead", info: new Map(Object.entries({ ...GIVER, ...giver })), databases: givers },
    receiver: {
      name: "copy",
      info: new Map(Object.entries({ ...RECEIVER, ...receiver })),
      databases: receivers,
    },
  });
}

test("two that are alike and in sync may exchange their roles", () => {
  expect(problem()).toBeUndefined();
  expect(problem({ used_memory_dataset: "50000" }, { maxmemory: "0" })).toBeUndefined();
  expect(problem({}, {}, [10, 5])).toBeUndefined();
  expect(problem({ valkey_version: "9.1.2" }, { valkey_version: "8.1.8" })).toBeUndefined();
});

test.each([
  ["leader-follows", { role: "slave" }, {}, undefined],
  ["failing-over", { master_failover_state: "waiting-for-sync" }, {}, undefined],
  ["snapshot-format", {}, { redis_version: "7.4.1" }, undefined],
  ["snapshot-format", { valkey_version: "8.1.8" }, { redis_version: "7.4.1" }, undefined],
  ["too-few-databases", {}, {}, [5, 10]],
  ["too-little-memory", { used_memory_dataset: "10001" }, {}, undefined],
  ["not-in-sync", {}, { master_link_status: "down" }, undefined],
  ["not-in-sync", {}, { aof_rewrite_in_progress: "1" }, undefined],
  ["not-in-sync", { master_repl_offset: "9000000" }, {}, undefined],
  ["not-in-sync", {}, { role: "master" }, undefined],
] as const)("%s is refused: %j, %j", (code, giver, receiver, databases) => {
  const found = problem(giver, receiver, databases && [...databases]);
  expect(found).toMatchObject({ code, operation: "switch over from" });
});

test("how far a follower is behind stands in the refusal", () => {
  expect(problem({ master_repl_offset: "9000000" })?.cause).toBe(
    "copy is not in sync with lead: catching up with the leader, 8999000 bytes behind",
  );
});
