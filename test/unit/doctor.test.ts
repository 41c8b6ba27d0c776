import { describe, expect, it } from "vitest";
import { type Check, ok, problem, warning, worstFirst } from "../../provider/operations/doctor/check";
import { judgeAddons, judgeBackups } from "../../provider/operations/doctor/judge/addons";
import { judgeClock, type SeenClock } from "../../provider/operations/doctor/judge/clock";
import { judgeDisk, judgeFileSystem } from "../../provider/operations/doctor/judge/disk";
import { judgeJobs, judgePermissions, judgePlace } from "../../provider/operations/doctor/judge/home";
import {
  judgeBacklog,
  judgeFiles,
  judgeHugePages,
  judgeOvercommit,
} from "../../provider/operations/doctor/judge/kernel";
import { judgeMemory, judgeSwap } from "../../provider/operations/doctor/judge/memory";
import {
  judgeAgent,
  judgeNode,
  judgeService,
  type SeenAgent,
  type SeenService,
} from "../../provider/operations/doctor/judge/program";
import { judgeCli, judgeExecutables, judgeServers } from "../../provider/operations/doctor/judge/servers";
import { ourCommand } from "../../provider/operations/doctor/our-command";

const MIB = 1024 ** 2;
const GIB = 1024 * MIB;
const HOUR_MS = 3_600_000;
const command = ourCommand("/h");

/** A result, and something that its remedy says. */
type Expected = readonly [Check["result"], remedy?: string];

function expectCheck(check: Check, [result, remedy]: Expected): void {
  expect(check.result, JSON.stringify(check)).toBe(result);
  expect(check.seen).not.toBe("");
  const needsAdvice = result === "problem" || result === "warning";
  expect(check.why !== undefined && check.remedy !== undefined).toBe(needsAdvice);
  if (remedy !== undefined) expect(check.remedy).toContain(remedy);
}

describe("Node", () => {
  it.each([
    ["v22.13.0", "ok"],
    ["v24.1.0", "ok"],
    ["v22.12.9", "problem"],
    ["v20.19.0", "problem"],
  ] as const)("%s: %s", (version, result) => {
    expectCheck(judgeNode(version), [result]);
  });
});

describe("the agent", () => {
  const seen = (agent: SeenAgent["agent"], addons = 1): SeenAgent => ({
    mine: "1.1.0-b",
    addons,
    home: "/h",
    agent,
  });
  it.each<[string, SeenAgent, Expected]>([
    [
      "is needed where there are add-ons",
      seen({ state: "none" }),
      ["problem", "redis-addon agent start --home /h"],
    ],
    ["isn't needed where there are none", seen({ state: "none" }, 0), ["ok"]],
    ["should answer", seen({ state: "silent", why: "x" }), ["problem", "/h/agent.log"]],
    ["may be of this build", seen({ state: "runs", pid: 1, program: "1.1.0-b", order: 0 }), ["ok"]],
    ["may be newer", seen({ state: "runs", pid: 1, program: "1.2.0-c", order: 1 }), ["ok"]],
    [
      "may be older",
      seen({ state: "runs", pid: 1, program: "1.0.0-a", order: -1 }),
      ["warning", "agent start"],
    ],
    ["may be another build", seen({ state: "runs", pid: 1, program: "1.1.0-x", order: 0 }), ["warning"]],
  ])("%s", (_, agent, expected) => {
    expectCheck(judgeAgent(agent), expected);
  });
});

describe("its service", () => {
  const seen = (more: Partial<SeenService>): SeenService => ({
    command,
    addons: 1,
    installed: false,
    name: "s",
    ...more,
  });
  it.each<[string, SeenService, Expected]>([
    [
      "is missed where there are add-ons",
      seen({}),
      ["warning", "redis-addon agent install-service --home /h"],
    ],
    ["isn't where there are none", seen({ addons: 0 }), ["ok"]],
    ["can't be everywhere", seen({ impossible: "no systemd" }), ["not-applicable"]],
    [
      "without lingering ends with a logout",
      seen({ installed: true, lingering: false }),
      ["warning", "enable-linger"],
    ],
    ["lingers", seen({ installed: true, lingering: true, runsIt: true }), ["ok"]],
    ["should run the agent", seen({ installed: true, runsIt: false }), ["warning", "agent install-service"]],
    ["of launchd doesn't know lingering", seen({ installed: true }), ["ok"]],
  ])("%s", (_, service, expected) => {
    expectCheck(judgeService(service), expected);
  });
});

describe("servers", () => {
  const redis7 = { path: "/usr/bin/redis-server", spelling: "7.2.4" };
  const redis6 = { path: "/opt/redis-server", spelling: "6.2.14", unsupported: "Redis 6.2.14 is too old" };
  it.each([
    ["one that will do", [redis6, redis7], [], "ok"],
    ["an old one alone", [redis6], [], "problem"],
    ["none at all", [], [], "problem"],
    ["none but what is kept", [], [redis7], "warning"],
  ] as const)("on the PATH: %s", (_, onPath, kept, result) => {
    const check = judgeServers(onPath, kept);
    expectCheck(check, [result]);
    for (const { spelling } of onPath) expect(check.seen).toContain(spelling);
  });

  it("are missed by name where an add-on's is gone", () => {
    const there = { addon: "cache", version: "7.2.4", path: "/h/7.2.4", runs: true };
    const gone = { addon: "copy", version: "valkey-8.1.8", path: "/h/a b", runs: false };
    expectCheck(judgeExecutables([]), ["not-applicable"]);
    expectCheck(judgeExecutables([there]), ["ok"]);
    const check = judgeExecutables([there, gone]);
    expectCheck(check, ["problem", "'/h/a b' --version"]);
    expect(check.seen).toContain("copy: /h/a b");
    expect(check.remedy).toContain("valkey-8.1.8");
  });

  it("want a redis-cli beside them", () => {
    expectCheck(judgeCli("/usr/bin/redis-cli"), ["ok"]);
    expectCheck(judgeCli(undefined), ["warning", "redis-tools"]);
  });
});

describe("the kernel", () => {
  it.each<[string | undefined, Expected]>([
    ["1", ["ok"]],
    ["0", ["warning", "vm.overcommit_memory = 1"]],
    ["2", ["warning", "vm.overcommit_memory = 1"]],
    [undefined, ["not-applicable"]],
  ])("overcommit %s: %j", (value, expected) => {
    expectCheck(judgeOvercommit(value), expected);
  });

  it.each([
    ["[always] madvise never", "disable-thp"],
    ["always [madvise] never", "madvise"],
    ["always madvise [never]", "never"],
  ])("huge pages %s are fine: %s", (line, seen) => {
    const check = judgeHugePages(line);
    expectCheck(check, ["ok"]);
    expect(check.seen).toContain(seen);
  });

  it("has no huge pages elsewhere than on Linux", () => {
    expectCheck(judgeHugePages(undefined), ["not-applicable"]);
  });

  it.each<[number | undefined, number, Expected]>([
    [4096, 0, ["ok"]],
    [128, 0, ["warning", "net.core.somaxconn = 511"]],
    [4096, 10_000, ["warning", "net.core.somaxconn = 10000"]],
    [undefined, 0, ["not-applicable"]],
  ])("somaxconn %s where a server asks for %s: %j", (somaxconn, backlog, expected) => {
    expectCheck(judgeBacklog({ somaxconn, addons: [{ addon: "cache", backlog }] }), expected);
  });

  it.each<[number | undefined, number, Expected]>([
    [1024, 356, ["ok"]],
    [1024, 992, ["ok"]],
    [1024, 993, ["problem", "1025 or more"]],
    [Infinity, 50_000, ["ok"]],
    [undefined, 50_000, ["not-applicable"]],
  ])("%s open files where a server takes %s clients: %j", (limit, maxclients, expected) => {
    expectCheck(judgeFiles({ command, limit, addons: [{ addon: "cache", maxclients }] }), expected);
  });
});

describe("memory", () => {
  it.each([
    [[], "ok"],
    [[3 * GIB, 3 * GIB], "ok"],
    [[4 * GIB, 3 * GIB], "warning"],
    [[4 * GIB, 5 * GIB], "problem"],
  ] as const)("of 8 GiB with plans of %j: %s", (plansBytes, result) => {
    expectCheck(judgeMemory({ totalBytes: 8 * GIB, plansBytes }), [result]);
  });

  it.each<[number, number, Expected]>([
    [0, 0, ["ok"]],
    [2 * GIB, 100 * MIB, ["ok"]],
    [2 * GIB, GIB, ["warning", "swapoff"]],
  ])("of swap %s with %s in use: %j", (totalBytes, usedBytes, expected) => {
    expectCheck(judgeSwap({ totalBytes, usedBytes }), expected);
  });
});

describe("a disk", () => {
  const disk = { what: "the data home", path: "/h", leastBytes: 300 * MIB, wantedBytes: GIB };
  it.each([
    [2 * GIB, "ok"],
    [500 * MIB, "warning"],
    [299 * MIB, "problem"],
    [undefined, "not-applicable"],
  ] as const)("with %s free: %s", (freeBytes, result) => {
    expectCheck(judgeDisk({ ...disk, freeBytes }), [result]);
  });

  it.each<[string, number | undefined, boolean, Expected]>([
    ["ext4", 0xef53, true, ["ok"]],
    ["tmpfs", 0x01021994, true, ["warning", "REDIS_ADDON_HOME"]],
    ["tmpfs for backups", 0x01021994, false, ["warning", "BackupPolicy"]],
    ["NFS", 0x6969, true, ["warning"]],
    ["NFS for backups", 0x6969, false, ["ok"]],
    ["a type that isn't told", undefined, true, ["not-applicable"]],
  ])("of %s", (_, type, holdsData, expected) => {
    expectCheck(judgeFileSystem({ what: "it", path: "/h", type, holdsData }), expected);
  });
});

describe("the clock", () => {
  const store = (aheadMs: number) => ({ url: "s3://b", aheadMs });
  it.each<[string, Partial<SeenClock>, Check["result"]]>([
    ["kept in time", { synchronised: true }, "ok"],
    ["not kept in time", { synchronised: false }, "warning"],
    ["nobody tells of", {}, "not-applicable"],
    ["in time with a store", { stores: [store(900)] }, "ok"],
    ["off by a minute", { synchronised: true, stores: [store(0), store(-60_000)] }, "warning"],
    ["off by ten minutes", { synchronised: true, stores: [store(600_000)] }, "problem"],
    ["that was set back", { synchronised: true, futureMs: HOUR_MS }, "warning"],
  ])("%s", (_, seen, result) => {
    expectCheck(judgeClock({ synchronised: undefined, stores: [], futureMs: 0, ...seen }), [result]);
  });
});

describe("the data home", () => {
  const mine = (path: string, mode: number) => ({ path, mode, owner: 1000 });
  it.each<[string, Parameters<typeof judgePermissions>[2], Expected]>([
    ["that isn't made", [], ["not-applicable"]],
    ["for this user alone", [mine("/h", 0o700), mine("/h/r", 0o600)], ["ok"]],
    ["that others can read", [mine("/h", 0o755)], ["problem", "chmod -R go= /h"]],
    ["that a group can write", [mine("/h", 0o700), mine("/h/r", 0o620)], ["problem"]],
    ["of somebody else, who keeps it", [{ path: "/h", mode: 0o700, owner: 0 }], ["not-applicable"]],
    [
      "with somebody else's files",
      [mine("/h", 0o700), { path: "/h/r", mode: 0o600, owner: 0 }],
      ["problem", "sudo chown -R 1000 /h"],
    ],
  ])("%s", (_, seen, expected) => {
    expectCheck(judgePermissions("/h", 1000, seen), expected);
  });

  it("says why it can't be one", () => {
    expectCheck(judgePlace("/h", undefined), ["ok"]);
    expectCheck(judgePlace("/h", "its path is too long"), ["problem", "REDIS_ADDON_HOME"]);
  });

  it.each<[string, boolean, number[], Expected]>([
    ["no jobs", true, [], ["ok"]],
    ["one under way", true, [HOUR_MS], ["ok"]],
    [
      "one for a day",
      true,
      [HOUR_MS, 25 * HOUR_MS],
      ["warning", "redis-addon agent stop --keep-servers --home /h && redis-addon agent start --home /h"],
    ],
    ["one that nobody looks after", false, [HOUR_MS], ["warning", "agent start"]],
  ])("holds %s", (_, agentRuns, agesMs, expected) => {
    expectCheck(judgeJobs({ command, agentRuns, agesMs }), expected);
  });
});

describe("add-ons and their backups", () => {
  it("are one check while all is well, and one each for those with trouble", () => {
    const here = { command, agentRuns: true };
    expect(judgeAddons([{ addon: "a" }, { addon: "b" }], [], here)).toMatchObject([{ result: "ok" }]);
    const checks = judgeAddons([{ addon: "a" }, { addon: "b", trouble: "gone" }], ["c: damaged"], here);
    expect(checks.map(({ seen }) => seen)).toEqual(["c: damaged", "b: gone"]);
    for (const check of checks) expectCheck(check, ["problem"]);
    expect(judgeAddons([], [], here)).toMatchObject([{ result: "not-applicable" }]);
  });

  it("that share a cause are one check, and where no agent runs its start is the remedy", () => {
    const seen = ["a", "b", "c", "d", "e", "f"].map((addon) => ({ addon, trouble: "the agent was stopped" }));
    const [first, ...others] = judgeAddons([...seen, { addon: "g", trouble: "gone" }], [], {
      command,
      agentRuns: true,
    });
    expect(first?.seen).toBe("a, b, c, d and 2 more: the agent was stopped");
    expect(first?.remedy).toMatch(/^redis-addon info a --home \/h +#/);
    expect(others.map((check) => check.remedy)).toEqual(["redis-addon info g --home /h"]);
    expect(judgeAddons(seen, [], { command, agentRuns: false })).toMatchObject([
      { remedy: "redis-addon agent start --home /h" },
    ]);
  });

  it("are named with what to run", () => {
    expect(judgeBackups([{ addon: "a" }], command)).toMatchObject([{ result: "ok" }]);
    const [check, ...others] = judgeBackups([{ addon: "a", trouble: "overdue" }, { addon: "b" }], command);
    expect(others).toEqual([]);
    expect(check).toMatchObject({ result: "problem", remedy: "redis-addon backup run a --home /h" });
  });
});

it("what a person should look at first comes first, the rest in its order", () => {
  const advice = { why: "w", remedy: "r" };
  const checks = [ok("a", "x"), warning("b", "x", advice), ok("c", "x"), problem("d", "x", advice)];
  expect(worstFirst(checks).map(({ id }) => id)).toEqual(["d", "b", "a", "c"]);
});
