import { aclUsers, type AclUser, type Copying } from "./access";
import type { AddonRecord, LeaderTls } from "./facets";
import { followed } from "./followed";
import { liveSettings, serverSettings, type Setting } from "./settings";

/** How a follower reaches its leader: for an add-on its replication user, for any other what the program gave. */
export interface LeaderAddress {
  readonly host: string;
  readonly port: number;
  /** Absent: the leader's default user. */
  readonly username?: string | undefined;
  /** Empty: the leader asks for none. */
  readonly password: string;
  /** Absent: a plain connection. A server never sees it: it is given an address at which somebody speaks TLS for it. */
  readonly tls?: LeaderTls | undefined;
}

export type DesiredReplication =
  | { kind: "leader" }
  /** Without an address it follows nobody that answers: read-only, until somebody knows its leader again. */
  | { kind: "follower"; leader: LeaderAddress | undefined };

/** What a running server should be, as far as it can be changed while it runs. */
export interface DesiredServer {
  /** What messages call it. */
  readonly name: string;
  readonly settings: readonly Setting[];
  readonly users: readonly AclUser[];
  readonly replication: DesiredReplication;
}

export interface RenderInput {
  readonly record: AddonRecord;
  /** Ignored unless the record follows. */
  readonly leader: LeaderAddress | undefined;
  /** `allowed` unless given. */
  readonly copying?: Copying;
  /** Absolute. */
  readonly dataDir: string;
  /** Absolute; where the caller puts `acl`. */
  readonly aclFile: string;
}

/**
 * redis.conf and users.acl. The record is the only source of truth: both are rendered anew before every launch, and
 * nothing that the server could rewrite is read back, so that a restart at any instant yields what was recorded last.
 * Both files must be written with mode 0600: a follower's redis.conf holds its leader's password, which Redis needs
 * in plain text.
 */
export function renderServer({ record, leader, copying, dataDir, aclFile }: RenderInput): {
  conf: string;
  acl: string;
} {
  const lines = serverSettings(record).map(({ name, values }) => confLine(name, ...values));
  lines.push(confLine("dir", dataDir), confLine("aclfile", aclFile));
  const replication = desiredReplication(record, leader);
  if (replication.kind === "follower") {
    const { host, port, username = "", password } = replication.leader ?? NOBODY;
    if (username !== "") lines.push(confLine("masteruser", username));
    if (password !== "") lines.push(confLine("masterauth", password));
    lines.push(confLine("replicaof", host, String(port)));
  }
  const users = aclUsers(record, copying).map((user) => `user ${user.name} ${user.rules.join(" ")}`);
  return { conf: text(lines), acl: text(users) };
}

/** What `converge` brings a running server to; the same record and leader that the files are rendered from. */
export function desiredServer(
  record: AddonRecord,
  leader: LeaderAddress | undefined,
  copying?: Copying,
): DesiredServer {
  return {
    name: record.name,
    settings: liveSettings(record),
    users: aclUsers(record, copying),
    replication: desiredReplication(record, leader),
  };
}

/** Nobody can listen on port 1 without being root, and Redis takes no port 0 here. */
export const NOBODY: LeaderAddress = { host: "127.0.0.1", port: 1, password: "" };

/** One line of redis.conf. */
export function confLine(name: string, ...values: string[]): string {
  return [name, ...values.map(quoted)].join(" ");
}

/**
 * A value in the double quotes of redis.conf, where `\xHH` is one byte: so a value may hold spaces, quotes, line ends
 * and any encoding, and can't end its line early.
 */
function quoted(value: string): string {
  if (/^[A-Za-z0-9._:/*-]+$/.test(value)) return value;
  const bytes = Array.from(new TextEncoder().encode(value), (byte) => {
    const character = String.fromCharCode(byte);
    if (character === '"' || character === "\\") return `\\${character}`;
    return byte >= 0x20 && byte <= 0x7e ? character : `\\x${byte.toString(16).padStart(2, "0")}`;
  });
  return `"${bytes.join("")}"`;
}

function desiredReplication(record: AddonRecord, leader: LeaderAddress | undefined): DesiredReplication {
  return followed(record) === undefined ? { kind: "leader" } : { kind: "follower", leader };
}

function text(lines: readonly string[]): string {
  return `${lines.join("\n")}\n`;
}
