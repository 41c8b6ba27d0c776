import { expect, test } from "vitest";
import { heldWords } from "../../provider/core/held-data";
import { heldData, modulesIn, parseInfo } from "../../provider/redis/info";
import { fit, type Pair } from "../../provider/redis/preflight/fit";

const MIB = 1024 ** 2;

function found(
  leader: string,
  changes: Partial<Omit<Pair, "leader">> & { follower?: never } = {},
  follower = "",
) {
  const pair: Pair = {
    follower: parseInfo(`role:master\r\nredis_version:7.2.4\r\nmaxmemory:${64 * MIB}\r\n${follower}`),
    followerDatabases: 1,
    leader: parseInfo(`role:master\r\nredis_version:7.2.4\r\n${leader}`),
    leaderDatabases: undefined,
    ...changes,
  };
  return fit(pair).map(({ code, severity, cause }) => `${severity} ${code}: ${cause}`);
}

test.each([
  [
    "module:name=ReJSON,ver=20609,api=1\r\nmodule:name=search,ver=20816,api=1\r\n",
    "",
    [
      "refuse missing-modules: the leader has modules whose data and commands this add-on can't take: ReJSON, search",
    ],
  ],
  [
    "module:name=ReJSON,ver=1\r\nmodule:name=bf,ver=1",
    "module:name=bf,ver=1\r\nmodule:name=ReJSON,ver=1",
    [],
  ],
  // A Valkey 9.1 names the engine that everybody has.
  ["module:name=lua,ver=1,api=1,options=[handle-repl-async-load]", "", []],
])("a leader's modules %j are looked for among %j", (leader, follower, expected) => {
  expect(found(leader, {}, follower)).toEqual(expected);
});

test("each module that INFO lists counts, not the last one alone", () => {
  expect(modulesIn(parseInfo("module:name=a,ver=1\r\nmodule:name=b,ver=2\r\nused_memory:1"))).toEqual([
    "a",
    "b",
  ]);
  expect(modulesIn(parseInfo("used_memory:1"))).toEqual([]);
});

test.each([
  [64 * MIB, 0, []],
  [64 * MIB + 1, 0, ["refuse too-little-memory: the leader uses 65 MiB and this add-on's plan has 64 MiB"]],
  // What its own followers' buffers take is no data.
  [65 * MIB, MIB, []],
])("a leader that uses %d bytes, %d of them for buffers", (used, buffers, expected) => {
  expect(found(`used_memory:${used}\r\nmem_not_counted_for_evict:${buffers}`)).toEqual(expected);
});

test.each([
  [10 * MIB, 20 * MIB, []],
  [
    10 * MIB,
    20 * MIB - 1,
    [
      "refuse too-little-disk: the leader's data may take 20 MiB on the disk while they arrive, and it has 20 MiB left",
    ],
  ],
  [10 * MIB, undefined, []],
])("data of %d bytes, and %d left on the disk", (data, freeBytes, expected) => {
  expect(found(`used_memory_dataset:${data}`, { freeBytes })).toEqual(expected);
});

test.each([
  ["role:slave\r\nmaster_link_status:down", ["warn leader-link-down"]],
  ["role:slave\r\nmaster_link_status:up", []],
  ["redis_version:7.4.1", ["refuse snapshot-format"]],
  ["db3:keys=1,expires=0", ["refuse too-few-databases"]],
])("a leader that says %j", (leader, codes) => {
  expect(found(leader).map((finding) => finding.split(":")[0])).toEqual(codes);
});

test.each([
  ["", "0 keys"],
  ["db0:keys=1,expires=0", "1 key"],
  ["db0:keys=1,expires=0\r\ndb7:keys=2,expires=1", "3 keys"],
  ["number_of_libraries:1", "1 library of functions"],
  ["db0:keys=2,expires=0\r\nnumber_of_libraries:2", "2 keys and 2 libraries of functions"],
])("what %j would lose reads %s", (told, words) => {
  expect(heldWords(heldData(parseInfo(told)))).toBe(words);
});
