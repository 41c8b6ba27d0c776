import { createHash } from "node:crypto";
import type { AddonRecord } from "./facets";
import { followed } from "./followed";

/** The internal administrator: what converge, backups and the agent connect as. */
export const ADMIN_USER = "redis-addon-admin";
/** The internal replication user: what followers of this program connect as. */
export const REPLICA_USER = "redis-addon-replica";
/** What backups connect as: a leader whose data nobody may copy is backed up all the same. */
export const CAPTURE_USER = "redis-addon-capture";

/**
 * Whether an add-on's data may be copied by replication. Refused while they are not known to be those that it had: a
 * follower would exchange what it has for them.
 */
export type Copying = "allowed" | "refused";

export interface AclUser {
  readonly name: string;
  /** What stands after the name in `ACL SETUSER` and in an ACL file; complete, so that it wants a `reset` before it. */
  readonly rules: readonly string[];
}

/**
 * One rule that loads on Redis 7.0 to Valkey 9 with the same refusals; `rights.ts` tells command by command what comes
 * of it, and why. It takes whole categories away, so that a command that a newer server adds to them is refused too,
 * and gives back what applications and their libraries use.
 */
const STANDARD = [
  ...["+@all", "-@admin", "-@dangerous", "-cluster", "-acl", "+acl|whoami", "-script|debug"],
  ...["+info", "+keys", "+flushall", "+flushdb", "+sort", "+sort_ro", "+restore", "+role", "+lastsave"],
  ...["+client|list", "+client|unblock", "+module|list", "+slowlog|get", "+slowlog|len"],
  ...["+latency|latest", "+latency|history", "+latency|histogram"],
];

/**
 * Never CONFIG SET: rules can't tell its parameters apart. Tried on each server, it listens on other addresses and
 * ports, takes the password away, outgrows the plan, loses data at the next start (appendonly), crashes it (tls-port of
 * a Valkey without TLS) or lets RESTORE bring in what corrupts its memory (sanitize-dump-payload).
 */
const ADVANCED = ["+monitor", "+client|kill", "+client|pause", "+client|unpause"].concat([
  "+slowlog|reset",
  "+latency|reset",
  "+latency|doctor",
  "+latency|graph",
]);

/**
 * What a follower must keep to itself: CONFIG GET shows the leader's password (masterauth), so a leader has to lose this
 * before it is told one; CONFIG RESETSTAT clears the only trace of a leader's change that failed (see sync-status).
 */
const ADVANCED_LEADER = ["+config|get", "+config|resetstat"];

const REPLICATION = ["+psync", "+sync", "+replconf"];
const NO_REPLICATION = ["-psync", "-sync", "-replconf"];

const NO_WRITES = ["-@write"];

const EVERY_KEY_AND_CHANNEL = ["~*", "&*"];

/**
 * INFO beyond the protocol of replication: how far behind a follower is, whether it fits, and whether the two are one
 * server, can only be told by the leader. It shows no secrets.
 */
const REPLICA = ["-@all", "+ping", "+info"];

/** Everybody who may connect to this add-on's server. Passwords are hashed: the rules end up in files and in logs. */
export function aclUsers(record: AddonRecord, copying: Copying = "allowed"): readonly AclUser[] {
  const { password, adminPassword, replicaPassword } = record.credentials;
  const follows = followed(record) !== undefined;
  // Restored data that are loaded may still turn out not to be all: nobody copies them, or adds to them, before.
  const isRestoring = record.restoring !== undefined;
  const copies = copying === "allowed" && !isRestoring ? REPLICATION : NO_REPLICATION;
  const advanced = record.server.wish.access === "advanced";
  return [
    // While an add-on is being removed its users stay out: what they wrote after the final backup would be lost.
    user("default", password, record.removing === undefined ? "on" : "off", [
      ...EVERY_KEY_AND_CHANNEL,
      ...STANDARD,
      // On a follower, `PSYNC <id> <offset> FAILOVER` would let any user promote it.
      ...(follows ? NO_REPLICATION : copies),
      ...(advanced ? ADVANCED : []),
      ...(advanced && !follows ? ADVANCED_LEADER : []),
      ...(isRestoring ? NO_WRITES : []),
    ]),
    user(ADMIN_USER, adminPassword, "on", [...EVERY_KEY_AND_CHANNEL, "+@all"]),
    user(REPLICA_USER, replicaPassword, "on", [...REPLICA, ...copies]),
    user(CAPTURE_USER, replicaPassword, "on", [...REPLICA, ...REPLICATION]),
  ];
}

function user(name: string, password: string, login: "on" | "off", rules: readonly string[]): AclUser {
  const hash = createHash("sha256").update(password, "utf8").digest("hex");
  // `reset` turns sanitize-payload on and a file doesn't: spelt out, so that both ways end in the same user.
  return { name, rules: [login, "sanitize-payload", `#${hash}`, ...rules] };
}
