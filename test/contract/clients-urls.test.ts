import { execFileSync } from "node:child_process";
import { networkInterfaces } from "node:os";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { aclUsers } from "../../provider/core/access";
import { passwordProblem } from "../../provider/core/password";
import { redisCliUrl, redisUrl, withDatabase, type Endpoint } from "../../provider/core/uri";
import { nodeLibraries, type Client } from "../support/clients";
import { clis, cliClient } from "../support/clients-cli";
import { redisPys, startRedisPy } from "../support/clients-python";
import { startAddon, testRecord } from "../support/local-addon";
import { describeWith } from "../support/tools";

const PRINTABLE = Array.from({ length: 0x7f - 0x20 }, (_, i) => String.fromCharCode(0x20 + i));
/** Each printable character of ASCII that is no letter or digit, at the beginning, in the middle and at the end. */
const ONE_BY_ONE = PRINTABLE.filter((character) => !/\w/.test(character)).map(
  (character) => `${character}pass${character}word${character}`,
);
const HARD = [
  // Letters and digits among all the others.
  PRINTABLE.join(""),
  PRINTABLE.toReversed().join(""),
  "        ",
  "%25%40%2F",
  "%zz%%%%%",
  "default:default",
  "user:pass@host:1/2?db=3#4",
  "'; $(reboot) `ls` \"",
  "\\\\\\n\\x00",
  "пароль-密码-🔑-e\u0301",
  "\u00a0\ufeff\u200d\u202e\u3000\u{10ffff}ab",
  "x".repeat(512),
  "🔑".repeat(512),
];

const password = fc
  .oneof(
    fc.string({ unit: "grapheme-ascii", minLength: 8, maxLength: 40 }),
    fc.string({ unit: "grapheme", minLength: 8, maxLength: 40 }),
    fc.string({ unit: "binary", minLength: 8, maxLength: 40 }),
  )
  .filter((text) => passwordProblem(text) === undefined);
/** Of the plan's ten; absent: the URL names none. */
const database = fc.option(fc.nat(9), { nil: undefined });

/** ioredis answers what it was asked with nothing but that the connection is closed. */
const LOGIN_FAILED = /WRONGPASS|NOAUTH|Connection is closed/;

type Form = (endpoint: Endpoint) => string;

const HAS_IPV6 = Object.values(networkInterfaces()).some((all) =>
  all?.some(({ address }) => address === "::1"),
);
const ipv6Test = test.skipIf(!HAS_IPV6);

test("every client library takes redisUrl, whatever the password", async () => {
  await using proof = await startProof();
  await proof.holds(nodeLibraries, [redisUrl], { passwords: [...HARD, ...ONE_BY_ONE], runs: 40 });
  // Hundreds of logins.
}, 180_000);

ipv6Test("an IPv6 address in brackets is taken by all but node-redis 4 and 6", async () => {
  await using proof = await startProof("127.0.0.1 ::1");
  const url = redisUrl({ ...proof.at, host: "::1", password: proof.password });
  for (const client of nodeLibraries) {
    const trip = expect(client.roundTrip(url, "k", "v"), client.name);
    if (/^node-redis [46]$/.test(client.name)) await trip.rejects.toThrow("getaddrinfo ENOTFOUND [::1]");
    else await trip.resolves.toBe("v");
  }
});

for (const tool of redisPys) {
  describeWith([tool], tool.name, () => {
    ipv6Test("takes an IPv6 address in brackets", async () => {
      await using proof = await startProof("127.0.0.1 ::1");
      await using client = startRedisPy(tool);
      const url = redisUrl({ ...proof.at, host: "::1", password: proof.password });
      expect(await client.roundTrip(url, "k", "v")).toBe("v");
    });

    test("takes redisUrl, whatever the password", async () => {
      await using proof = await startProof();
      await using client = startRedisPy(tool);
      await proof.holds([client], [redisUrl], { passwords: [...HARD, ...ONE_BY_ONE], runs: 40 });
    });
  });
}

for (const tool of clis) {
  describeWith([tool], tool.name, () => {
    test("takes redisUrl and redisCliUrl, whatever the password", async () => {
      await using proof = await startProof();
      // A process for each: fewer of them.
      await proof.holds([cliClient(tool)], [redisUrl, redisCliUrl], {
        passwords: [...HARD, ...ONE_BY_ONE],
        runs: 10,
      });
    }, 180_000);

    ipv6Test("takes an IPv6 address in brackets from 7.2 on", async () => {
      await using proof = await startProof("127.0.0.1 ::1");
      // "redis-cli 7.0.15", "valkey-cli 8.1.8"
      const version = Number(/\d+\.\d+/.exec(String(execFileSync(tool.path, ["--version"])))?.[0]);
      for (const form of [redisUrl, redisCliUrl]) {
        const url = form({ ...proof.at, host: "::1", password: proof.password });
        const trip = expect(cliClient(tool).roundTrip(url, "k", "v"));
        if (version < 7.2) await trip.rejects.toThrow("Could not connect to Redis at [:0");
        else await trip.resolves.toBe("v");
      }
    });

    test("doesn't take the form with an empty user name, which libraries take", async () => {
      await using proof = await startProof();
      const url = redisUrl({ ...proof.at, password: proof.password, username: "" });
      await expect(cliClient(tool).roundTrip(url, "k", "v")).rejects.toThrow(LOGIN_FAILED);
    });
  });
}

describe("what the two forms are for", () => {
  test("no library takes redisCliUrl: it reads the password as a user's name", async () => {
    await using proof = await startProof();
    const url = redisCliUrl({ ...proof.at, password: proof.password });
    for (const client of nodeLibraries)
      await expect(client.roundTrip(url, "k", "v"), client.name).rejects.toThrow(LOGIN_FAILED);
  });

  test("a wrong password lets nobody in", async () => {
    await using proof = await startProof();
    const url = redisUrl({ ...proof.at, password: `${proof.password}%` });
    for (const client of nodeLibraries)
      await expect(client.roundTrip(url, "k", "v"), client.name).rejects.toThrow(LOGIN_FAILED);
  });
});

/** A server of ten databases whose user's password changes. */
async function startProof(bind = "127.0.0.1") {
  const addon = await startAddon(testRecord({ plan: "l_mono", bind }));
  const admin = await addon.admin();
  const { credentials, server } = addon.record;
  const at = { host: "127.0.0.1", port: server.wish.port };

  const setPassword = async (secret: string) => {
    const [user] = aclUsers({ ...addon.record, credentials: { ...credentials, password: secret } });
    await admin.command("ACL", "SETUSER", user?.name ?? "", "reset", ...(user?.rules ?? []));
  };
  /** What the client writes must stand in the URL's database, not only be what the client reads back. */
  const roundTrip = async (client: Client, url: string, where: number) => {
    const [key, value] = [`by-${client.name.replaceAll(" ", "-")}`, `in-${where}`];
    expect(await client.roundTrip(url, key, value), client.name).toBe(value);
    await admin.command("SELECT", where);
    expect(await admin.command("GETDEL", key), client.name).toBe(value);
  };
  const holds = async (
    clients: readonly Client[],
    forms: readonly Form[],
    { passwords, runs }: { passwords: readonly string[]; runs: number },
  ) => {
    const property = fc.asyncProperty(password, database, async (secret, number) => {
      await setPassword(secret);
      for (const form of forms) {
        const plain = form({ ...at, password: secret });
        const url = number === undefined ? plain : withDatabase(plain, number);
        for (const client of clients) await roundTrip(client, url, number ?? 0);
      }
    });
    const examples = passwords.map((text, i): [string, number | undefined] => [
      text,
      i % 11 === 10 ? undefined : i % 11,
    ]);
    await fc.assert(property, { examples, numRuns: examples.length + runs });
  };
  return {
    at,
    password: credentials.password,
    holds,
    [Symbol.asyncDispose]: () => addon[Symbol.asyncDispose](),
  };
}
