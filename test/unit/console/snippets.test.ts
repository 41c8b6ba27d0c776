import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { autoName } from "../../../provider/core/addon-name";
import { ACCESS_LEVELS, EVICTION_POLICIES, PERSISTENCE, TIERS } from "../../../provider/core/facets";
import { PLAN_NAMES } from "../../../provider/core/plans";
import type { AddonStatus } from "../../../provider/core/status";
import { addonProgram } from "../../../provider/console/snippets/addon-program";
import { environmentLine, LIBRARIES, redisCli } from "../../../provider/console/snippets/clients";
import { literal } from "../../../provider/console/snippets/literal";
import { shownAddon } from "../../support/shown-addon";

const elsewhere = { id: "0123456789abcdef", host: "machine-1", path: "/srv/redis data" };

const everything = shownAddon(
  { name: "billing", home: elsewhere },
  {
    plan: { memory: "3gb", connections: 200, databases: 4 },
    tier: "premium",
    access: "advanced",
    evictionPolicy: "allkeys-lru",
    version: "valkey-8.1.8",
    persistence: "always",
    bind: "0.0.0.0",
    settings: { "notify-keyspace-events": "KEA", timeout: "300" },
    labels: { team: `the "new" team's\\`, "cost/centre": "4711" },
    deletion: { finalBackup: false },
  },
);

describe("the program that declares an add-on", () => {
  it("says what is other than the default, and no more", () => {
    expect(addonProgram(shownAddon({ name: "cache" }))).toBe(`import { RedisAddon } from "pulumi-redis-addon";

const redis = new RedisAddon("cache", {
  name: "cache",
  plan: "m_mono",
  tier: "standard",
  evictionPolicy: "noeviction",
  version: "7.2.4",
});

export const redisUrl = redis.redisUrl;
`);
  });

  it("declares every add-on as it is", () => {
    fc.assert(
      fc.property(anyAddon, (status) => {
        const [, args] = declared(addonProgram(status));
        const { port: _, ...wish } = status.wish;
        const defaults = { access: "standard", persistence: "everysec", bind: "127.0.0.1" };
        const empty = { settings: {}, labels: {}, deletion: { finalBackup: true } };
        const { name, platform, ...rest } = args;
        expect(name).toBe(status.name);
        expect({ ...defaults, ...empty, ...rest }).toEqual(wish);
        expect(platform ?? "usual").toEqual(
          status.home.path === elsewhere.path ? { kind: "local", dataHome: elsewhere.path } : "usual",
        );
      }),
    );
  });

  it("calls the resource as its owner's program does, where the name tells", () => {
    const made = shownAddon({ name: autoName("shop", "dev", "queue") });
    expect(declared(addonProgram(made))[0]).toBe("queue");
    const given = shownAddon({ name: "shop-dev", owner: { project: "shop", stack: "dev" } });
    expect(declared(addonProgram(given))[0]).toBe("shop-dev");
  });
});

describe("a literal", () => {
  it("is the value again once it is read", () => {
    const value = fc.letrec((tie) => ({
      plain: fc.oneof(
        fc.string({ unit: "binary" }),
        fc.integer(),
        fc.boolean(),
        fc.array(tie("plain"), { maxLength: 4 }),
        fc.dictionary(fc.string({ unit: "binary" }), tie("plain"), { maxKeys: 4, noNullPrototype: true }),
      ),
    })).plain;
    fc.assert(
      fc.property(value, (plain) => {
        // What JSON can't hold apart, such as -0.
        const expected: unknown = JSON.parse(JSON.stringify(plain));
        expect(evaluated(literal(plain as Parameters<typeof literal>[0]))).toEqual(expected);
      }),
    );
  });

  it("has every key as a property, whatever its name", () => {
    const value = evaluated(literal(JSON.parse('{"__proto__": "a", "a-b": "c"}')));
    expect(Object.entries(value as object)).toEqual([
      ["__proto__", "a"],
      ["a-b", "c"],
    ]);
  });

  it("stands in one line where that has room", () => {
    expect(literal({ memory: "3gb", connections: 200 })).toBe('{ memory: "3gb", connections: 200 }');
    expect(literal({ text: "x".repeat(80) })).toContain("\n");
    expect(literal({ given: [], absent: undefined })).toBe("{ given: [] }");
  });
});

describe("what clients are told", () => {
  it("takes the address from the environment", () => {
    for (const { text, title } of LIBRARIES) expect(text, title).toContain("REDIS_URL");
    expect(environmentLine(shownAddon({ name: "cache" }))).toBe(
      'export REDIS_URL="$(redis-addon info cache --reveal --json | jq -r .redisUrl)"',
    );
  });

  it("names a data home that is not the usual one, as a shell takes it", () => {
    expect(environmentLine(everything)).toContain("info billing --home '/srv/redis data' --reveal");
    expect(redisCli(everything)).toContain("redis-addon connect billing --home '/srv/redis data'\n");
    expect(redisCli(shownAddon({ name: "cache" }))).not.toContain("--home");
  });
});

const text = fc.string({ unit: "binary", maxLength: 20 });
const key = fc.stringMatching(/^[a-z][a-z0-9._/-]{0,8}$/);

const anyAddon: fc.Arbitrary<AddonStatus> = fc
  .record({
    name: fc.stringMatching(/^[a-z]([a-z0-9-]{0,20}[a-z0-9])?$/),
    wish: fc.record({
      plan: fc.oneof(
        fc.constantFrom(...PLAN_NAMES),
        fc.record({ memory: fc.constantFrom("3gb", "512mb"), connections: fc.nat(), databases: fc.nat() }),
      ),
      tier: fc.constantFrom(...TIERS),
      access: fc.constantFrom(...ACCESS_LEVELS),
      evictionPolicy: fc.constantFrom(...EVICTION_POLICIES),
      version: fc.constantFrom("7.2.4", "valkey-8.1.8"),
      bind: fc.constantFrom("127.0.0.1", "0.0.0.0"),
      persistence: fc.constantFrom(...PERSISTENCE),
      settings: fc.dictionary(key, text, { maxKeys: 3, noNullPrototype: true }),
      labels: fc.dictionary(key, text, { maxKeys: 3, noNullPrototype: true }),
      deletion: fc.record({ finalBackup: fc.boolean() }),
    }),
    isElsewhere: fc.boolean(),
  })
  .map(({ name, wish, isElsewhere }) =>
    shownAddon({ name, ...(isElsewhere ? { home: elsewhere } : {}) }, wish),
  );

/** What a program gives to the constructor. */
function declared(program: string): [string, Record<string, unknown>] {
  const call = /new RedisAddon\(([^]*)\);\n\nexport/.exec(program)?.[1];
  return evaluated(`[${call}]`) as [string, Record<string, unknown>];
}

function evaluated(expression: string): unknown {
  // oxlint-disable-next-line no-implied-eval, typescript/no-implied-eval -- the text under test is code
  return (new Function(`return (${expression})`) as () => unknown)();
}
