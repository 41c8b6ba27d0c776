import { PLAN_NAMES, planOf } from "../core/plans";
import type { LeaderAddress } from "../core/render";
import type { Task } from "../core/task";
import { authority } from "../core/uri";
import { canFollow, versionFromInfo } from "../core/version";
import type { RedisClient } from "./client";
import { isSet, keysByDatabase, numberIn, totalKeys, type Info } from "./info";
import { probeLeader } from "./leader-probe";
import { observationFrom } from "./observe";

/** Something that a preflight found. Its words are a Failure's: cause without a full stop, hint what to do. */
export interface Finding {
  readonly code: string;
  /** `refuse`: following would lose data or never work. `warn`: it works, and somebody should know. */
  readonly severity: "refuse" | "warn";
  readonly cause: string;
  readonly hint: string;
  /** Whether it may go away by itself. */
  readonly transient: boolean;
}

export interface Preflight {
  readonly findings: readonly Finding[];
  /** What following would throw away. */
  readonly followerKeys: number;
  /** Whether it follows this very address already, so that nothing would be thrown away. */
  readonly followsAlready: boolean;
  /** Whether all it holds is a part of the leader's present history, wherever it has it from. */
  readonly sharesHistory: boolean;
  /** Absent where the leader can't be reached or doesn't show its INFO. */
  readonly leader?: { readonly version: string; readonly keys: number; readonly usedMemoryBytes: number };
}

/**
 * What stands against a server following a leader. Reads only; a preview may call it. `leaderDatabases` is the
 * leader's configured number where the caller knows it: a replication user may not read it there.
 */
export async function preflightLeader(
  follower: RedisClient,
  leader: LeaderAddress,
  task: Task,
  { leaderDatabases }: { leaderDatabases?: number } = {},
): Promise<Preflight> {
  const info = await follower.info();
  const databases = Number((await follower.config("databases")).get("databases"));
  const probe = await probeLeader(leader, task);
  const known = {
    followerKeys: totalKeys(info),
    followsAlready: info.get("master_host") === leader.host && numberIn(info, "master_port") === leader.port,
  };
  if (probe.kind === "failed") {
    const { code, cause, hint, transient } = probe.failure;
    const findings = [{ code, severity: "refuse", cause, hint, transient }] as const;
    return { ...known, sharesHistory: false, findings };
  }
  if (probe.info === undefined) {
    const cause = `the leader ${authority(leader.host, leader.port)} does not show its INFO to this user`;
    const hint =
      "Allow it INFO, to have version, memory and databases compared before anything is overwritten";
    return {
      ...known,
      sharesHistory: false,
      findings: [{ code: "leader-unknown", severity: "warn", cause, hint, transient: false }],
    };
  }
  return {
    ...known,
    sharesHistory:
      info.get("role") === "slave" && info.get("master_replid") === probe.info.get("master_replid"),
    leader: {
      version: observationFrom(probe.info).version,
      keys: totalKeys(probe.info),
      usedMemoryBytes: numberIn(probe.info, "used_memory") ?? 0,
    },
    findings: compareServers({
      follower: info,
      followerDatabases: databases,
      leader: probe.info,
      leaderDatabases: leaderDatabases ?? probe.databases,
    }),
  };
}

interface Pair {
  readonly follower: Info;
  readonly followerDatabases: number;
  readonly leader: Info;
  /** As configured, where that is known; otherwise the highest one in use is what counts. */
  readonly leaderDatabases: number | undefined;
}

/** The pure part: two servers' own words about themselves. */
function compareServers(pair: Pair): readonly Finding[] {
  const { follower, leader } = pair;
  if (leader.get("run_id") === follower.get("run_id"))
    return [refuse("leader-is-itself", "leader and follower are the same server", "Give another leader")];
  if (isLoop(follower, leader))
    return [
      refuse(
        "replication-loop",
        "the leader itself follows this server, directly or through others",
        "Give a leader that follows nobody",
      ),
    ];
  return [databases(pair), format(follower, leader), memory(follower, leader), linked(leader)].filter(
    (finding) => finding !== undefined,
  );
}

/**
 * A replication id is one history: a leader that follows somebody and shares the id of a server that follows nobody
 * has its data from there, through however many others. Between two followers the id proves nothing, as both may
 * follow a third; then one must be in the other's own list.
 */
function isLoop(follower: Info, leader: Info): boolean {
  if (leader.get("role") !== "slave") return false;
  if (follower.get("role") !== "slave") return leader.get("master_replid") === follower.get("master_replid");
  const listed = observationFrom(follower).followers.some(
    ({ port }) => port === numberIn(leader, "tcp_port"),
  );
  return listed && numberIn(leader, "master_port") === numberIn(follower, "tcp_port");
}

function databases({ follower, followerDatabases, leader, leaderDatabases }: Pair): Finding | undefined {
  if (!Number.isInteger(followerDatabases) || isSet(follower, "cluster_enabled")) return undefined;
  const used = Object.keys(keysByDatabase(leader)).map((database) => Number(database) + 1);
  const highest = Math.max(0, ...used);
  // Redis drops SELECT where it fails: a write to a missing database overwrites a key of database 0.
  const need = Math.max(leaderDatabases ?? 0, highest);
  if (need <= followerDatabases) return undefined;
  const plan = PLAN_NAMES.find((name) => planOf(name).databases >= need);
  const has = leaderDatabases === undefined ? `uses database ${highest - 1}` : `has ${need} databases`;
  return refuse(
    "too-few-databases",
    `the leader ${has} and this add-on has ${followerDatabases}`,
    plan === undefined
      ? `Choose a plan of your own: { memory, connections, databases: ${need} }`
      : `Choose the plan ${plan} or a larger one`,
  );
}

function format(follower: Info, leader: Info): Finding | undefined {
  const [from, to] = [versionFromInfo(leader), versionFromInfo(follower)];
  if (from === undefined || to === undefined || canFollow(from, to)) return undefined;
  return refuse(
    "snapshot-format",
    `a server of version ${to.spelling} can't load the snapshot of a leader of version ${from.spelling}`,
    `Give the add-on a version that can, such as ${from.spelling}`,
  );
}

function memory(follower: Info, leader: Info): Finding | undefined {
  const limit = numberIn(follower, "maxmemory") ?? 0;
  const used = numberIn(leader, "used_memory") ?? 0;
  if (limit === 0 || used <= limit) return undefined;
  // It would follow nonetheless: a follower ignores maxmemory, and loses what is too much when it is promoted.
  return refuse(
    "too-little-memory",
    `the leader uses ${mebibytes(used)} and this add-on's plan has ${mebibytes(limit)}`,
    "Choose a larger plan",
  );
}

function linked(leader: Info): Finding | undefined {
  if (leader.get("role") !== "slave" || leader.get("master_link_status") === "up") return undefined;
  return {
    code: "leader-link-down",
    severity: "warn",
    cause:
      "the leader itself follows a server that it isn't in sync with, and serves no snapshot until it is",
    hint: "Repair its link, or give its leader",
    transient: true,
  };
}

function refuse(code: string, cause: string, hint: string): Finding {
  return { code, severity: "refuse", cause, hint, transient: false };
}

function mebibytes(bytes: number): string {
  return `${Math.ceil(bytes / 1024 ** 2)} MiB`;
}
