import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { liveDefaults, parseSettings, unsupportedSettings } from "../../provider/core/allowed-settings";
import { REFUSED_SETTINGS } from "../../provider/core/refused-settings";
import { serverSettings } from "../../provider/core/settings";
import { planOf } from "../../provider/core/plans";
import { settingsBeyondPlan } from "../../provider/core/settings-of-plan";
import { settingsTable } from "../../provider/core/settings-page";
import { settingValue } from "../../provider/core/setting-kinds";
import { ALLOWED_SETTINGS } from "../../provider/core/setting-table";
import { parseSpelling, type ServerVersion } from "../../provider/core/version";
import { testRecord } from "../support/local-addon";

const names = ALLOWED_SETTINGS.map(({ name }) => name);

/** The value of one setting once parsed, or the reason why it is refused. */
function parsed(name: string, value: unknown): string {
  const { settings, problems } = parseSettings({ [name]: value });
  expect(problems.length + Object.keys(settings).length).toBe(1);
  return settings[name] ?? problems[0]?.reason ?? "";
}

function version(spelling: string): ServerVersion {
  const found = parseSpelling(spelling);
  if (found === undefined) throw new Error(spelling);
  return found;
}

describe("values", () => {
  test.each([
    ["timeout", 300, "300"],
    ["timeout", "0300", "300"],
    ["timeout", 0, "0"],
    ["timeout", -0, "0"],
    ["slowlog-log-slower-than", -1, "-1"],
    ["slowlog-log-slower-than", "-1", "-1"],
    ["list-max-listpack-size", "-5", "-5"],
    ["latency-tracking", false, "no"],
    ["latency-tracking", "YES", "yes"],
    ["latency-tracking", "true", "yes"],
    ["repl-backlog-size", "100mb", "104857600"],
    ["repl-backlog-size", "1 GB", "1073741824"],
    ["repl-backlog-size", 65536, "65536"],
    ["hash-max-listpack-value", "1k", "1000"],
    ["maxmemory-clients", "05%", "5%"],
    ["maxmemory-clients", "100%", "100%"],
    ["maxmemory-clients", "64mb", "67108864"],
    ["maxmemory-clients", 0, "0"],
    ["notify-keyspace-events", "", ""],
    ["notify-keyspace-events", "KEA", "AKE"],
    ["notify-keyspace-events", "AKE", "AKE"],
    ["notify-keyspace-events", "xE", "xE"],
    ["notify-keyspace-events", "KKxxlgE", "glxKE"],
    ["notify-keyspace-events", "Km", "Km"],
    ["notify-keyspace-events", "dtexzhsl$gmEK", "AKEm"],
    ["notify-keyspace-events", "KAng", "g$lshzxetnK"],
  ])("%s: %j is spelt %j", (name, given, spelling) => {
    expect(parsed(name, given)).toBe(spelling);
  });

  const outOfBounds = "write a whole number of seconds from 60 to 31536000, or 0: never";
  const noEvents = expect.stringMatching(/^write K, E or both/) as string;
  test.each([
    ["timeout", 59, outOfBounds],
    ["timeout", 1.5, outOfBounds],
    ["timeout", "5m", outOfBounds],
    ["timeout", "", outOfBounds],
    ["timeout", true, outOfBounds],
    ["timeout", null, outOfBounds],
    ["timeout", Number.NaN, outOfBounds],
    ["timeout", "99999999999999999999", outOfBounds],
    ["hz", 501, "write a whole number from 1 to 500"],
    ["latency-tracking", 1, 'write true or false; "yes" and "no" will do'],
    [
      "repl-backlog-size",
      "1tb",
      'write a size from "16kb" to "4gb" (kb, mb and gb count by 1024, a number alone is bytes)',
    ],
    [
      "maxmemory-clients",
      "4%",
      expect.stringContaining('a share of the memory from "5%" to "100%", or 0') as string,
    ],
    ["repl-backlog-size", "50%", expect.stringContaining("write a size") as string],
    ["notify-keyspace-events", "A", noEvents],
    ["notify-keyspace-events", "KE", noEvents],
    ["notify-keyspace-events", "KEAq", noEvents],
    ["notify-keyspace-events", 0, noEvents],
  ])("%s: %j is refused with what to write", (name, given, reason) => {
    expect(parsed(name, given)).toEqual(reason);
  });

  const anything = fc.oneof(
    fc.anything(),
    fc.integer(),
    fc.maxSafeInteger().map(String),
    fc.nat(120).map((percent) => `${percent}%`),
    fc.tuple(fc.nat(5000), fc.constantFrom("", "b", "k", "kb", "mb", "gb")).map((parts) => parts.join("")),
    fc.string({ unit: fc.constantFrom(...Array.from("AKEg$lshzxetdmn")), maxLength: 16 }),
    fc.constantFrom("yes", "no", "True", "NO"),
  );

  test("a spelling that was taken is taken again and stays the same, whatever is given", () => {
    fc.assert(
      fc.property(fc.constantFrom(...names), anything, (name, given) => {
        const { settings, problems } = parseSettings({ [name]: given });
        expect(Object.keys(settings).length + problems.length).toBe(1);
        expect(parseSettings(settings)).toEqual({ settings, problems: [] });
      }),
      { numRuns: 2000 },
    );
  });

  test("no text of a program gets into redis.conf but in a known spelling", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.oneof(fc.constantFrom(...names), fc.string()), anything), (given) => {
        for (const [name, value] of Object.entries(parseSettings(given).settings)) {
          expect(names).toContain(name);
          expect(value).toMatch(/^(?:-?\d+%?|yes|no|[AKEg$lshzxetdmn]*)$/);
        }
      }),
    );
  });
});

describe("names", () => {
  test.each([
    ["maxmemory", "the plan sets it"],
    ["maxclients", "the plan sets it"],
    ["databases", "the plan sets it"],
    ["maxmemory-policy", "the input `evictionPolicy` sets it"],
    ["appendonly", "the input `persistence` sets it"],
    ["requirepass", "the input `password` sets it"],
    ["port", "the input `port` sets it"],
    ["replicaof", "a RedisFollower makes an add-on follow"],
    ["tls-port", "an add-on's server speaks no TLS"],
    ["loadmodule-ex", "it loads programs or configuration from files of the machine"],
    ["hash-max-ziplist-value", "its name is hash-max-listpack-value"],
    ["notify_keyspace_events", "there is no such setting; did you mean `notify-keyspace-events`?"],
    ["Timeout", "there is no such setting; did you mean `timeout`?"],
    ["slowlog-max-length", "there is no such setting; did you mean `slowlog-max-len`?"],
    ["maxMemory", "there is no such setting; if `maxmemory` is meant: the plan sets it"],
    ["color", "it is not among the settings that an add-on takes; sdk/SETTINGS.md lists them"],
    ["__proto__", "it is not among the settings that an add-on takes; sdk/SETTINGS.md lists them"],
    ["constructor", "it is not among the settings that an add-on takes; sdk/SETTINGS.md lists them"],
  ])("%s is refused with the reason", (name, reason) => {
    expect(parseSettings(Object.fromEntries([[name, "1"]]))).toEqual({
      settings: {},
      problems: [{ name, reason }],
    });
  });

  test("what the add-on sets itself is refused, with a reason of its own", () => {
    for (const { name } of serverSettings(testRecord()))
      expect(parsed(name, "1"), name).not.toMatch(/not among|no such/);
  });

  test("a name that is told to be another's is one that is taken", () => {
    for (const [, reason] of REFUSED_SETTINGS) {
      const [, other] = / is ([a-z-]+)$/.exec(reason) ?? [];
      if (other !== undefined) expect(names).toContain(other);
    }
  });

  test("several problems are all told, and what is right is kept", () => {
    const { settings, problems } = parseSettings({ hz: 0, port: 1, timeout: 60 });
    expect(settings).toEqual({ timeout: "60" });
    expect(problems.map(({ name }) => name)).toEqual(["hz", "port"]);
  });
});

describe("versions", () => {
  test("a setting that a server doesn't know is refused, naming both", () => {
    const settings = { "set-max-listpack-entries": "64", timeout: "60" };
    expect(unsupportedSettings(settings, version("7.0.15"))).toEqual([
      {
        name: "set-max-listpack-entries",
        reason: "Redis 7.0.15 doesn't know it: it came with Redis 7.2",
      },
    ]);
    for (const spelling of ["7.2.0", "7.4.1", "8.0.0", "valkey-8.1.8", "valkey-9.1.2"])
      expect(unsupportedSettings(settings, version(spelling)), spelling).toEqual([]);
  });

  test("a recorded setting that is no longer on the list is told as well", () => {
    expect(unsupportedSettings({ port: "1" }, version("7.2.4"))).toEqual([
      { name: "port", reason: "the input `port` sets it" },
    ]);
  });

  test("defaults are those of the version, for what it knows and takes live", () => {
    const [old, redis, valkey] = ["7.0.15", "7.4.1", "valkey-8.1.8"].map((spelling) =>
      liveDefaults(version(spelling)),
    );
    expect(old?.has("set-max-listpack-value")).toBe(false);
    expect(redis?.get("set-max-listpack-value")).toBe("64");
    expect(redis?.get("lazyfree-lazy-expire")).toBe("no");
    expect(valkey?.get("lazyfree-lazy-expire")).toBe("yes");
    expect(redis?.has("io-threads")).toBe(false);
  });
});

describe("plans", () => {
  const plan = planOf("s_mono");

  test("a backlog may take a quarter of the plan's memory and no more", () => {
    expect(settingsBeyondPlan({ "repl-backlog-size": String(32 * 1024 ** 2) }, plan)).toEqual([]);
    expect(settingsBeyondPlan({ "repl-backlog-size": String(32 * 1024 ** 2 + 1) }, plan)).toEqual([
      {
        name: "repl-backlog-size",
        reason: `it counts towards the plan's memory: write at most a quarter of that, "32mb"`,
      },
    ]);
  });

  test("a limit for all clients leaves room for the plan's connections", () => {
    const reason =
      'the plan\'s 100 connections would be too much by themselves: write at least "6400kb", or 0 for no limit';
    const taken = ["0", "6553600", "6%", "100%"];
    for (const value of taken)
      expect(settingsBeyondPlan({ "maxmemory-clients": value }, plan), value).toEqual([]);
    for (const value of ["1048576", "6553599", "4%"])
      expect(settingsBeyondPlan({ "maxmemory-clients": value }, plan)).toEqual([
        { name: "maxmemory-clients", reason },
      ]);
    expect(settingsBeyondPlan({}, plan)).toEqual([]);
  });
});

test("each name stands in the table once, with a default of its own kind", () => {
  expect(new Set(names).size).toBe(names.length);
  for (const { name, kind, default: byDefault, valkeyDefault } of ALLOWED_SETTINGS)
    for (const value of [byDefault, ...(valkeyDefault === undefined ? [] : [valkeyDefault])])
      expect(settingValue(kind, value), name).toBe(value);
});

test("the documentation says what the tables say", async () => {
  await expect(settingsTable()).toMatchFileSnapshot("../../sdk/SETTINGS.md");
});
