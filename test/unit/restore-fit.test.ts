import { describe, expect, it, test } from "vitest";
import {
  type RestorableManifest,
  restoreProblems,
  type RestoreTarget,
} from "../../provider/core/restore-fit";

const MIB = 1024 ** 2;
const manifest: RestorableManifest = {
  server: { name: "redis", version: "7.4.1" },
  rdb: { magic: "REDIS0012", version: 12, sizeBytes: 10 * MIB },
  files: [{ sizeBytes: 10 * MIB }],
  databases: 16,
  usedMemoryBytes: 100 * MIB,
  keyspace: {
    source: "INFO before the snapshot",
    keys: 3,
    databases: { "0": { keys: 2, expires: 0 }, "4": { keys: 1, expires: 0 } },
  },
};
const fits: RestoreTarget = {
  manifest,
  version: "7.4.2",
  databases: 5,
  maxmemoryBytes: 128 * MIB,
  evictionPolicy: "noeviction",
  freeBytes: 1024 * MIB,
};
const found = (target: Partial<RestoreTarget>) => restoreProblems({ ...fits, ...target });

test("a backup goes where it came from, and nothing that is not known stands against it", () => {
  expect(found({})).toEqual([]);
  expect(restoreProblems({ manifest })).toEqual([]);
});

describe("the format", () => {
  it.each([
    ["an older Redis", "7.2.5", /version 7\.2\.5 does not load what Redis 7\.4\.1 wrote \(REDIS0012\)/],
    ["a Valkey, which went its own way", "valkey-8.1.0", /version valkey-8\.1\.0 does not load/],
  ])("is refused by %s, with what loads it", (_, version, cause) => {
    expect(found({ version })).toEqual([
      {
        code: "snapshot-format",
        severity: "refuse",
        cause: expect.stringMatching(cause),
        hint: "What loads it: Redis 7.4.1 and newer",
      },
    ]);
  });

  it.each([
    ["redis", "7.0.15", "REDIS0010", 10, "6.2.14", "Redis 7.0.15 and newer, Valkey 8.0 and newer"],
    ["valkey", "8.1.0", "REDIS0011", 11, "7.4.0", "Valkey 8.1.0 and newer, Redis 7.2"],
    ["valkey", "9.0.0", "VALKEY080", 80, "8.0.0", "Valkey 9.0.0 and newer"],
    ["redis", "unknown", "REDIS0012", 12, "7.0.0", "a Redis that reads REDIS0012"],
  ] as const)("of %s %s is loaded by what the table says", (name, version, magic, rdb, here, hint) => {
    const other = {
      ...manifest,
      server: { name, version },
      rdb: { magic, version: rdb, sizeBytes: 1 },
    };
    expect(found({ manifest: other, version: here })).toMatchObject([
      { code: "snapshot-format", hint: `What loads it: ${hint}` },
    ]);
  });
});

describe("the databases", () => {
  it("that hold keys must be there; those that hold none need not", () => {
    expect(found({ databases: 4 })).toEqual([
      {
        code: "too-few-databases",
        severity: "refuse",
        cause: "the backup has keys in database 4, and the add-on has databases 0 to 3 only",
        hint: "Choose the plan m_mono or a larger one, or a plan of your own: { memory, connections, databases: 5 }",
      },
    ]);
    expect(found({ databases: 1, counts: { databases: { "0": { keys: 1, expires: 0 } } } })).toEqual([]);
    expect(found({ databases: 1 })).toMatchObject([{ cause: expect.stringMatching(/has database 0 only$/) }]);
  });

  it("of which nothing is known are a warning", () => {
    const { keyspace: _, ...unknown } = manifest;
    expect(found({ manifest: unknown, databases: 15 })).toMatchObject([
      { code: "too-few-databases", severity: "warn", hint: expect.stringContaining("xxxl_mono") },
    ]);
    expect(found({ manifest: unknown, databases: 16 })).toEqual([]);
  });
});

describe("the memory", () => {
  it.each([
    ["noeviction", /took 100 MiB of memory, and the add-on has 64\.0 MiB: it would refuse every write/],
    ["allkeys-lru", /with the eviction policy allkeys-lru it would delete keys/],
  ])("that is too little is refused under %s", (evictionPolicy, cause) => {
    expect(found({ maxmemoryBytes: 64 * MIB, evictionPolicy })).toEqual([
      {
        code: "too-little-memory",
        severity: "refuse",
        cause: expect.stringMatching(cause),
        hint: "Choose a plan with more memory",
      },
    ]);
  });

  it("of a full add-on's own backup is a warning at most, and none is needed where there is no limit", () => {
    expect(found({ maxmemoryBytes: 98 * MIB })).toMatchObject([{ severity: "warn" }]);
    expect(found({ maxmemoryBytes: 0 })).toEqual([]);
  });
});

test("a disk that is too small is refused with both figures", () => {
  expect(found({ freeBytes: 20 * MIB })).toEqual([
    {
      code: "too-little-disk",
      severity: "refuse",
      cause: "the backup's files take 26.0 MiB on the disk, and it has 20.0 MiB left",
      hint: "Free some space on it",
    },
  ]);
  expect(found({ freeBytes: 26 * MIB })).toEqual([]);
});
