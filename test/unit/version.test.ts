import { describe, expect, test } from "vitest";
import {
  canFollow,
  compareVersions,
  opensBothWays,
  parseSpelling,
  parseVersionOutput,
  parseWanted,
  satisfies,
  serversThatLoad,
  snapshotLoads,
  supportProblem,
  versionFromInfo,
  type ServerVersion,
} from "../../provider/core/version";

function spelt(spelling: string): ServerVersion {
  const version = parseSpelling(spelling);
  if (version === undefined) throw new Error(`${spelling} is no version`);
  return version;
}

describe("a server's version", () => {
  for (const [output, spelling] of [
    ["Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.2.1 bits=64 build=afa9d6f2f1aa8c5e", "7.0.15"],
    ["Redis server v=7.2.4 sha=00000000:0 malloc=libc bits=64 build=1\n", "7.2.4"],
    ["Valkey server v=8.1.8 sha=00000000:1 malloc=libc bits=64 build=7eb4ebc9d7e91f4e", "valkey-8.1.8"],
    ["a warning first\nValkey server v=9.1.2 sha=0", "valkey-9.1.2"],
  ] as const)
    test(`is read from "${output.slice(0, 24)}…"`, () => {
      expect(parseVersionOutput(output)?.spelling).toBe(spelling);
      expect(parseSpelling(spelling)).toEqual(parseVersionOutput(output));
    });

  test("is not found in what another program prints", () => {
    expect(parseVersionOutput("redis-cli 7.0.15")).toBeUndefined();
    expect(parseVersionOutput("")).toBeUndefined();
  });

  test("of a Valkey is its own, not that of the Redis it is compatible with", () => {
    const info = new Map([
      ["redis_version", "7.2.4"],
      ["server_name", "valkey"],
      ["valkey_version", "8.1.8"],
    ]);
    expect(versionFromInfo(info)?.spelling).toBe("valkey-8.1.8");
    expect(versionFromInfo(new Map([["redis_version", "7.2.4"]]))?.spelling).toBe("7.2.4");
    expect(versionFromInfo(new Map())).toBeUndefined();
  });
});

test("what is too old is refused with what would do", () => {
  for (const fine of ["7.0.0", "7.2.4", "8.2.1", "valkey-8.0.1", "valkey-9.1.2"])
    expect(supportProblem(spelt(fine)), fine).toBeUndefined();
  for (const old of ["6.2.14", "5.0.7", "valkey-7.2.5"])
    expect(supportProblem(spelt(old)), old).toContain("too old: Redis 7.0 or newer, or Valkey 8");
});

test("versions sort by number, not by letter", () => {
  const sorted = ["7.0.9", "7.0.15", "7.2.4", "10.0.0", "valkey-8.1.8", "valkey-8.10.0"];
  expect(
    sorted
      .toReversed()
      .map(spelt)
      .toSorted(compareVersions)
      .map(({ spelling }) => spelling),
  ).toEqual(sorted);
  expect(compareVersions(spelt("7.2.4"), spelt("7.2.4"))).toBe(0);
});

describe("a wanted version", () => {
  for (const [wanted, found, fits] of [
    ["7.2.4", "7.2.4", true],
    ["7.2.4", "7.2.5", false],
    ["7.2", "7.2.5", true],
    ["7.2", "7.20.5", false],
    ["7", "7.0.15", true],
    ["redis-7.0", "7.0.15", true],
    ["valkey-8", "valkey-8.1.8", true],
    ["valkey-8.1", "valkey-8.0.1", false],
    ["8.1.8", "valkey-8.1.8", false],
    ["valkey-7.2.4", "7.2.4", false],
  ] as const)
    test(`${wanted} ${fits ? "takes" : "refuses"} ${found}`, () => {
      const parsed = parseWanted(wanted);
      expect(parsed !== undefined && satisfies(spelt(found), parsed)).toBe(fits);
    });

  for (const nonsense of ["", "latest", "7.x", "7.2.4.1", "v7.2", "valkey", "-7", "7."])
    test(`is not ${JSON.stringify(nonsense)}`, () => expect(parseWanted(nonsense)).toBeUndefined());
});

describe("a snapshot", () => {
  const order = ["6.2.14", "7.0.15", "7.2.4", "7.4.1", "valkey-8.0.1", "valkey-8.1.8", "valkey-9.1.2"];
  // facts/toolchain.md; within one line of versions, newer ones load what older ones wrote.
  const loads: Record<string, string> = {
    "6.2.14": "1111111",
    "7.0.15": "0111111",
    "7.2.4": "0011111",
    "7.4.1": "0001000",
    "valkey-8.0.1": "0010111",
    "valkey-8.1.8": "0010111",
    "valkey-9.1.2": "0000001",
  };
  for (const from of order)
    test(`of ${from} loads where the table says`, () => {
      expect(order.map((to) => (snapshotLoads(spelt(from), spelt(to)) ? "1" : "0")).join("")).toBe(
        loads[from],
      );
    });
});

describe("who can follow whom", () => {
  test.each([
    ["valkey-9.1.2", ["valkey-9.1.2", "valkey-8.1.8", "valkey-8.0.1", "7.2.4", "7.4.1"], ["7.0.15"]],
    ["valkey-9.0.3", ["valkey-9.1.2", "valkey-9.0.0"], ["valkey-8.1.8", "7.2.4", "7.4.1", "7.0.15"]],
    ["valkey-8.1.8", ["valkey-9.1.2", "valkey-8.0.1", "7.2.4", "7.4.1"], ["7.0.15"]],
    ["valkey-10.0.0", ["valkey-10.0.0"], ["valkey-9.1.2", "7.4.1"]],
    ["7.0.15", ["7.0.15", "7.2.4", "7.4.1", "valkey-8.1.8", "valkey-9.1.2"], []],
    ["7.2.4", ["7.2.4", "7.4.1", "valkey-8.1.8", "valkey-9.1.2"], ["7.0.15"]],
    ["7.4.1", ["7.4.1", "8.2.1"], ["7.0.15", "7.2.4", "valkey-8.1.8", "valkey-9.1.2"]],
  ])("a leader of version %s", (leader, can, cannot) => {
    for (const follower of can) expect(canFollow(spelt(leader), spelt(follower)), follower).toBe(true);
    for (const follower of cannot) expect(canFollow(spelt(leader), spelt(follower)), follower).toBe(false);
  });
});

describe("the servers that load a snapshot", () => {
  const all = ["valkey-9.1.2", "valkey-8.1.8", "8.2.1", "7.4.1", "7.2.4", "7.0.15", "7.0.9", "6.2.14"];
  const loading = (server: string, magic: string, among = all) => {
    const { flavor, version } = spelt(server);
    const origin = {
      server: { name: flavor, version },
      rdb: { magic, version: Number(magic.replace(/\D/g, "")) },
    };
    return serversThatLoad(
      origin,
      among.map((version) => ({ version })),
    ).map(({ version }) => version);
  };

  test.each([
    [
      "6.2.14",
      "REDIS0009",
      ["6.2.14", "7.0.9", "7.0.15", "7.2.4", "7.4.1", "8.2.1", "valkey-8.1.8", "valkey-9.1.2"],
    ],
    ["7.0.15", "REDIS0010", ["7.0.15", "7.2.4", "7.4.1", "8.2.1", "valkey-8.1.8", "valkey-9.1.2", "7.0.9"]],
    ["7.2.4", "REDIS0011", ["7.2.4", "7.4.1", "8.2.1", "valkey-8.1.8", "valkey-9.1.2"]],
    ["7.4.1", "REDIS0012", ["7.4.1", "8.2.1"]],
    ["valkey-8.0.1", "REDIS0011", ["valkey-8.1.8", "valkey-9.1.2", "7.2.4"]],
    ["valkey-9.1.2", "VALKEY080", ["valkey-9.1.2"]],
  ])("of %s (%s) come in the order of %j", (server, magic, order) => {
    expect(loading(server, magic)).toEqual(order);
  });

  test.each([
    ["7.0.15", "REDIS0099"],
    ["valkey-8.1.8", "REDIS0012"],
    ["valkey-9.1.2", "VALKEY081"],
    ["8.6.0", "REDIS0013"],
  ])("of %s are none where its format, %s, is newer than what any of them reads", (server, magic) => {
    // A line of versions that is not known yet may read it.
    const known = all.filter((version) => version !== "8.2.1");
    expect(loading(server, magic, known)).toEqual([]);
  });

  test("of a later version are believed where they are that version, or later", () => {
    expect(loading("9.0.0", "REDIS0014", [...all, "9.0.0", "9.2.0"])).toEqual(["9.0.0", "9.2.0"]);
  });

  test("of a writer that spells its version in its own way are those that read the format", () => {
    const odd = {
      server: { name: "redis", version: "7.2-rc2" },
      rdb: { magic: "REDIS0011", version: 11 },
    } as const;
    expect(serversThatLoad(odd, [{ version: "7.0.15" }, { version: "7.2.4" }])).toEqual([
      { version: "7.2.4" },
    ]);
    expect(loading("7.0.15", "REDIS0010", ["latest"])).toEqual([]);
  });
});

test("Redis 6.2 opens an archive by its dump alone", () => {
  expect(["6.2.14", "7.0.15", "valkey-8.0.1"].map((version) => opensBothWays(spelt(version)))).toEqual([
    false,
    true,
    true,
  ]);
});
