import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { EXIT, exitCodeOf, exitCodeOfOutcomes, exitCodesHelp } from "../../provider/cli/exit-codes";
import { catalogName, defaultName, parseRedisAddress } from "../../provider/cli/redis-address";
import { Failure } from "../../provider/core/errors";

describe("the URL of a Redis", () => {
  it.each([
    ["redis://db", { host: "db", port: 6379, tls: false }],
    ["redis://db:7000/", { host: "db", port: 7000, tls: false }],
    ["rediss://b%40ck@db.example:6380", { host: "db.example", port: 6380, username: "b@ck", tls: true }],
    ["redis://[::1]:6379", { host: "::1", port: 6379, tls: false }],
  ])("%s names a server", (text, address) => {
    expect(parseRedisAddress(text)).toEqual(address);
  });

  it.each([
    "redis://user:hunter2@db:6379",
    "redis://:hunter2@db",
    "http://hunter2@db",
    "redis:hunter2",
    "redis://db/3?password=hunter2",
    "redis://hun%ter2@db",
    "hunter2",
    "redis://db:hunter2",
  ])("%s is refused as wrong usage and not repeated: it may hold a password", (text) => {
    try {
      parseRedisAddress(text);
      expect.unreachable();
    } catch (error) {
      expect(exitCodeOf(error)).toBe(EXIT.wrongUsage);
      expect(String(error)).not.toContain("hun");
    }
  });

  it("says of a password in it why not, and how instead", () => {
    expect(() => parseRedisAddress("redis://me:pw@db")).toThrow(
      /process list.*history.*redis:\/\/user@host:port.*REDISCLI_AUTH/,
    );
  });
});

describe("a catalog's name", () => {
  it("is made of host and port", () => {
    expect(defaultName({ host: "db.example", port: 6379 })).toBe("db.example-6379");
    expect(defaultName({ host: "::1", port: 6379 })).toBe("1-6379");
  });

  it("is one that a store takes, whatever the host is called", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), fc.integer({ min: 1, max: 65_535 }), (host, port) => {
        const name = defaultName({ host, port });
        expect(catalogName(name)).toBe(name);
      }),
    );
  });

  it.each(["", ".hidden", "-x", "a/b", "a b", ".."])("is not %j", (name) => {
    expect(() => catalogName(name)).toThrow(/letters, digits/);
  });
});

describe("exit codes", () => {
  it("tell what was missing, what is damaged and what was wrongly typed from other failures", () => {
    const failing = (code: string) =>
      exitCodeOf(new Failure({ code, operation: "x", subject: "y", cause: "z" }));
    expect(failing("no-such-backup")).toBe(3);
    expect(failing("backup-damaged")).toBe(4);
    expect(failing("wrong-usage")).toBe(2);
    expect(failing("unsupported-destination")).toBe(2);
    expect(failing("leader-unreachable")).toBe(1);
    expect(exitCodeOf(new Error("a bug"))).toBe(1);
  });

  it("of several verifications are that of the worst", () => {
    expect(exitCodeOfOutcomes([])).toBe(0);
    expect(exitCodeOfOutcomes(["verified", "verified"])).toBe(0);
    expect(exitCodeOfOutcomes(["verified", "structure-checked"])).toBe(5);
    expect(exitCodeOfOutcomes(["structure-checked", "failed", "verified"])).toBe(1);
    expect(exitCodeOfOutcomes(["failed", "damaged", "structure-checked"])).toBe(4);
  });

  it("are all in the help of the whole, and in that of a command those that it can end with", () => {
    const codesIn = (help: string) => [...help.matchAll(/^  (\d+) /gm)].map(([, code]) => Number(code));
    expect(codesIn(exitCodesHelp(""))).toEqual([...Object.values(EXIT), 130]);
    expect(codesIn(exitCodesHelp("list"))).toEqual([0, 1, 2, 3, 130]);
    expect(codesIn(exitCodesHelp("import-file"))).toEqual([0, 1, 2, 3, 4, 130]);
    expect(codesIn(exitCodesHelp("backup verify"))).toEqual([0, 1, 2, 3, 4, 5, 130]);
    expect(codesIn(exitCodesHelp("backup"))).toEqual([0, 1, 2, 3, 4, 5, 9, 10, 130]);
    expect(codesIn(exitCodesHelp("follower"))).toEqual([0, 1, 2, 3, 6, 7, 8, 130]);
    expect(exitCodesHelp("follower")).toContain("(follower status alone)");
    expect(exitCodesHelp("follower status")).not.toContain("alone)");
  });
});
