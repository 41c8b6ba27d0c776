import { expect, test } from "vitest";
import { ADMIN_USER, REPLICA_USER } from "../../provider/core/access";
import { Failure } from "../../provider/core/errors";
import type { RedisClient } from "../../provider/redis/client";
import { following, startAddon, testRecord } from "../support/local-addon";

/** Each is one that a right user gets an answer or an ordinary error for; `-` marks what must be refused. */
const STANDARD: Record<string, readonly string[]> = {
  "data, scripts and scans": [
    "SET k v",
    "GET k",
    "KEYS *",
    "SORT l",
    "SORT_RO l",
    "FLUSHDB",
    "FLUSHALL",
    "RESTORE k 0 x",
    "EVAL return(1) 0",
    "FUNCTION LIST",
    "MULTI",
    "DISCARD",
    "PUBLISH c m",
    "OBJECT FREQ k",
    "SELECT 1",
    "WAIT 0 1",
  ],
  "what libraries ask a server": [
    "INFO",
    "ROLE",
    "LASTSAVE",
    "CLIENT LIST",
    "CLIENT ID",
    "CLIENT UNBLOCK 999",
    "CLIENT SETNAME x",
    "MODULE LIST",
    "ACL WHOAMI",
    "COMMAND COUNT",
    "SLOWLOG GET",
    "SLOWLOG LEN",
    "LATENCY LATEST",
    "LATENCY HISTORY x",
    "LATENCY HISTOGRAM",
    "MEMORY USAGE k",
  ],
  "the server's configuration and process": [
    "-CONFIG SET maxmemory 1",
    "-CONFIG REWRITE",
    "-SHUTDOWN NOSAVE",
    "-DEBUG SLEEP 0",
    "-MODULE LOAD /x.so",
    "-BGSAVE",
    "-SAVE",
    "-BGREWRITEAOF",
    "-SCRIPT DEBUG NO",
    "-SWAPDB 0 1",
  ],
  "other users": ["-ACL LIST", "-ACL SETUSER x", "-ACL LOAD", "-ACL SAVE", "-ACL DRYRUN x GET k"],
  "replication and the cluster": [
    "-REPLICAOF 127.0.0.1 1",
    "-SLAVEOF 127.0.0.1 1",
    "-FAILOVER ABORT",
    "-CLUSTER INFO",
    "-MIGRATE 127.0.0.1 1 k 0 1",
  ],
};

const ADVANCED_ONLY = [
  "SLOWLOG RESET",
  "LATENCY RESET",
  "LATENCY DOCTOR",
  "CLIENT KILL ID 999",
  "CLIENT PAUSE 0",
  "CLIENT UNPAUSE",
];

// Refused on a follower: its configuration holds the leader's password, its statistics what failed there.
const ADVANCED_ON_LEADERS = ["CONFIG GET maxmemory", "CONFIG GET masterauth", "CONFIG RESETSTAT"];

// Refused on a follower: `PSYNC <id> <offset> FAILOVER` promotes it.
const REPLICATION = ["REPLCONF capa psync2", "PSYNC ? -1 FAILOVER"];

async function isAllowed(client: RedisClient, line: string): Promise<boolean> {
  const [name = "", ...args] = line.split(" ");
  try {
    await client.command(name, ...args);
    return true;
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    if (error.code === "not-permitted") return false;
    // DEBUG and MODULE are closed to everybody, which the server checks before rights.
    if (/enable-(debug|module)-command/.test(error.cause)) return false;
    if (error.code === "redis-error" || error.code === "read-only") return true;
    throw error;
  }
}

/** The table with what the server really did; equal to it when it did as written. */
async function tried(client: RedisClient, lines: readonly string[]): Promise<string[]> {
  const outcome: string[] = [];
  for (const line of lines) {
    const command = line.replace(/^-/, "");
    outcome.push((await isAllowed(client, command)) ? command : `-${command}`);
  }
  return outcome;
}

for (const role of ["leader", "follower"] as const) {
  const record = role === "leader" ? testRecord() : following(testRecord());
  const onLeaders = (lines: readonly string[]): readonly string[] =>
    role === "leader" ? lines : lines.map((line) => `-${line}`);

  test(`standard access on a ${role} is what the table says`, async () => {
    await using addon = await startAddon(record);
    const client = await addon.user();
    for (const [group, lines] of Object.entries(STANDARD)) {
      // A follower refuses writes by READONLY, which is an answer: rights come first.
      expect(await tried(client, lines), group).toEqual(lines);
    }
    const refused = [...ADVANCED_ONLY, ...ADVANCED_ON_LEADERS, "MONITOR"].map((line) => `-${line}`);
    expect(await tried(client, refused)).toEqual(refused);
    const replication = onLeaders(REPLICATION);
    expect(await tried(client, replication)).toEqual(replication);
  });

  test(`advanced access on a ${role} adds observing and never servers, users or replication`, async () => {
    await using addon = await startAddon({
      ...record,
      server: { ...record.server, wish: { ...record.server.wish, access: "advanced" } },
    });
    const client = await addon.user();
    const added = [...ADVANCED_ONLY, ...onLeaders(ADVANCED_ON_LEADERS)];
    expect(await tried(client, added)).toEqual(added);
    for (const [group, lines] of Object.entries(STANDARD))
      expect(await tried(client, lines), group).toEqual(lines);
    const monitoring = await addon.user();
    expect(await tried(monitoring, ["MONITOR"])).toEqual(["MONITOR"]);
    const replication = onLeaders(REPLICATION);
    expect(await tried(client, replication)).toEqual(replication);
  });
}

test("the replication user can replicate, ping and read INFO, and nothing else", async () => {
  await using addon = await startAddon();
  const client = await addon.connect(REPLICA_USER, addon.record.credentials.replicaPassword);
  const allowed = [...REPLICATION, "PING", "INFO", "REPLCONF rdb-only 1"];
  expect(await tried(client, allowed)).toEqual(allowed);
  const refused = [
    "GET k",
    "SET k v",
    "KEYS *",
    "CONFIG GET port",
    "ACL LIST",
    "SELECT 1",
    "PUBLISH c m",
    "ROLE",
  ];
  expect(await tried(client, refused)).toEqual(refused.map((line) => `-${line}`));
});

test("nobody gets in without a password, and each user only with its own", async () => {
  await using addon = await startAddon();
  await expect(addon.connect("", "")).rejects.toMatchObject({ code: "password-needed" });
  const wrong = [
    ["default", "admin-pw"],
    [ADMIN_USER, "user-pw"],
    [REPLICA_USER, "user-pw"],
    ["nobody", "user-pw"],
  ] as const;
  for (const [name, password] of wrong)
    await expect(addon.connect(name, password)).rejects.toMatchObject({ code: "wrong-password" });
});

test("users stay out of an add-on that is being removed, the administrator doesn't", async () => {
  await using addon = await startAddon({ ...testRecord(), removing: { since: "2026-01-01T00:00:00.000Z" } });
  await expect(addon.user()).rejects.toMatchObject({ code: "wrong-password" });
  expect(await (await addon.admin()).command("PING")).toBe("PONG");
});
