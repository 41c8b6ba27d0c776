import { describe, expect, test } from "vitest";
import { whyNotLoaded } from "../../provider/backup/verify/why-not-loaded";
import {
  type Counts,
  disagreement,
  replaces,
  VERIFICATION_OUTCOMES,
  VerificationSchema,
} from "../../provider/core/verification";

describe("two ways of looking at a backup", () => {
  const counts: Counts = { keys: 3, expires: 1, functions: 1, databases: { 0: { keys: 3, expires: 1 } } };
  const between = (a: Counts, b: Counts) =>
    disagreement({ how: "redis-server", counts: a }, { how: "redis-check-rdb", counts: b });

  test("agree where all that both tell is the same", () => {
    expect(between(counts, counts)).toBeUndefined();
    expect(between(counts, { keys: 3, expires: 1 })).toBeUndefined();
    expect(between({ keys: 0, expires: 0, databases: {} }, { keys: 0, expires: 0 })).toBeUndefined();
  });

  test.each<[Partial<Counts>, string]>([
    [{ keys: 4 }, "redis-server finds 3 keys, redis-check-rdb 4"],
    [{ expires: 0 }, "redis-server finds 1 keys that expire, redis-check-rdb 0"],
    [{ functions: 2 }, "redis-server finds 1 libraries of functions, redis-check-rdb 2"],
    [
      { databases: { 0: { keys: 2, expires: 1 }, 1: { keys: 1, expires: 0 } } },
      "redis-server finds 3 keys in database 0, redis-check-rdb 2",
    ],
    [
      { databases: { 0: { keys: 3, expires: 0 } } },
      "redis-server finds 1 keys that expire in database 0, redis-check-rdb 0",
    ],
  ])("disagree with %j in one sentence", (change, why) => {
    expect(between(counts, { ...counts, ...change })).toBe(why);
  });
});

test("a look at the bytes alone replaces no deeper one", () => {
  for (const found of VERIFICATION_OUTCOMES)
    for (const earlier of [undefined, ...VERIFICATION_OUTCOMES])
      expect(replaces(found, earlier)).toBe(
        found !== "structure-checked" || earlier === undefined || earlier === "structure-checked",
      );
});

test("a verification is read with what a later version may add, and not where its outcome is unknown", () => {
  const verification = {
    format: 1,
    slot: "20260501T030000000Z",
    archive: "a.tar.gz",
    outcome: "verified",
    at: "2026-05-01T03:00:00.000Z",
    later: true,
  };
  expect(VerificationSchema.parse(verification)).toEqual(verification);
  expect(VerificationSchema.safeParse({ ...verification, outcome: "blessed" }).success).toBe(false);
});

describe("a server that ends while it loads", () => {
  const said = (line: string) =>
    `watching 12\n12:C 22 Nov 2026 20:04:24.260 # Configuration loaded\n12:S 22 Nov 2026 20:04:24.260 # ${line}\n[offset 27] key 'secret'\n`;
  test.each([
    ["Internal error in RDB reading offset 0, function at rdb.c:3216 -> RDB CRC error", "damaged"],
    ["Wrong RDB checksum expected: (25610842c0f06d71) but got (531646563f634319). Aborting now.", "damaged"],
    ["Short read or OOM loading DB. Unrecoverable error, aborting now.", "damaged"],
    [
      "Unable to obtain the AOF file appendonly.aof.2.base.rdb length. stat: No such file or directory",
      "damaged",
    ],
    ["Bad file format reading the append only file x.rdb: make a backup of your AOF file", "damaged"],
    ["Invalid AOF manifest file format", "damaged"],
    ["Unknown command 'MODULE' reading the append only file x", "damaged"],
    ["Can't handle RDB format version 99", "unable"],
    ["The RDB file contains module data I can't load: no matching module type 'graphdata'", "unable"],
    ["The RDB file contains AUX module data I can't load: no matching module 'ft_index0'", "unable"],
    [
      "FATAL: Data file was created with a Redis server configured to handle more than 2 databases. Exiting",
      "unable",
    ],
    ["Failed creating the library: Error compiling function", "unable"],
    ["Out Of Memory allocating 123 bytes!", "no-memory"],
    ["Fatal error loading the DB: Cannot allocate memory. Exiting.", "no-memory"],
    ["Fatal error loading the DB: Permission denied. Exiting.", "failed"],
    ["Failed opening Unix socket: bind: No such file or directory", "failed"],
  ])("with %j says that it is %s, without its data", (line, kind) => {
    const refusal = whyNotLoaded({ code: 1 }, said(line));
    expect(refusal.kind).toBe(kind);
    expect(refusal.why).toContain(line.slice(0, 40));
    expect(refusal.why).not.toContain("secret");
  });

  test("by a signal says nothing against the data, whatever it said before", () => {
    expect(whyNotLoaded({ signal: 9 }, said("RDB CRC error")).kind).toBe("no-memory");
    expect(whyNotLoaded({ signal: 11 }, said("corrupt")).kind).toBe("unable");
    expect(whyNotLoaded({ signal: 6 }, said("Out Of Memory allocating 1 bytes")).kind).toBe("no-memory");
    expect(whyNotLoaded({ code: 0 }, said("User requested shutdown...")).kind).toBe("failed");
    expect(whyNotLoaded({ code: 127 }, "nice: redis-server: No such file or directory\n")).toEqual({
      kind: "failed",
      why: "it ended with code 127: nice: redis-server: No such file or directory",
    });
  });
});
