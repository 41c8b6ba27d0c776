import { PLAN_NAMES, planOf } from "../../core/plans";
import { canFollow, versionFromInfo } from "../../core/version";
import { isSet, keysByDatabase, modulesIn, numberIn, type Info } from "../info";
import { mebibytes, refusal, type Finding } from "./finding";

/** Two servers' own words about themselves, and what only somebody else knows of them. */
export interface Pair {
  readonly follower: Info;
  readonly followerDatabases: number;
  /** On the disk that holds the follower's data; absent: not known. */
  readonly freeBytes?: number | undefined;
  readonly leader: Info;
  /** As configured, where that is known; otherwise the highest one in use is what counts. */
  readonly leaderDatabases: number | undefined;
}

/**
 * The engine that runs Lua scripts: Valkey 9.1 lists it as a module, and every other server has it built in. No data are
 * its own.
 */
const BUILT_IN = new Set(["lua"]);
/** The snapshot's file, and the AOF that is written from it before the file is removed. */
const COPIES_ON_DISK = 2;

/** Whether what the leader holds finds room and is understood where it shall be followed from. */
export function fit(pair: Pair): readonly Finding[] {
  return [databases(pair), format(pair), modules(pair), memory(pair), disk(pair), linked(pair)].filter(
    (finding) => finding !== undefined,
  );
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
  const own = `a plan of your own: { memory, connections, databases: ${need} }`;
  return refusal(
    "too-few-databases",
    `the leader ${has} and this add-on has ${followerDatabases}`,
    plan === undefined ? `Choose ${own}` : `Choose the plan ${plan} or a larger one, or ${own}`,
  );
}

function format({ follower, leader }: Pair): Finding | undefined {
  const [from, to] = [versionFromInfo(leader), versionFromInfo(follower)];
  if (from === undefined || to === undefined || canFollow(from, to)) return undefined;
  return refusal(
    "snapshot-format",
    `a server of version ${to.spelling} can't load the snapshot of a leader of version ${from.spelling}`,
    `Give the add-on a version that can, such as ${from.spelling}`,
  );
}

function modules({ follower, leader }: Pair): Finding | undefined {
  const here = new Set(modulesIn(follower));
  const lacking = modulesIn(leader).filter((name) => !here.has(name) && !BUILT_IN.has(name));
  if (lacking.length === 0) return undefined;
  return refusal(
    "missing-modules",
    `the leader has modules whose data and commands this add-on can't take: ${lacking.join(", ")}`,
    "Follow a leader without them; add-ons have no modules",
  );
}

function memory({ follower, leader }: Pair): Finding | undefined {
  const limit = numberIn(follower, "maxmemory") ?? 0;
  // What buffers for its followers take of it counts for no limit.
  const used = (numberIn(leader, "used_memory") ?? 0) - (numberIn(leader, "mem_not_counted_for_evict") ?? 0);
  if (limit === 0 || used <= limit) return undefined;
  // It would follow nonetheless: a follower ignores maxmemory, and loses what is too much when it is promoted.
  return refusal(
    "too-little-memory",
    `the leader uses ${mebibytes(used)} and this add-on's plan has ${mebibytes(limit)}`,
    "Choose a larger plan",
  );
}

function disk({ freeBytes, leader }: Pair): Finding | undefined {
  const data = numberIn(leader, "used_memory_dataset");
  if (freeBytes === undefined || data === undefined) return undefined;
  const need = COPIES_ON_DISK * data;
  if (need <= freeBytes) return undefined;
  return refusal(
    "too-little-disk",
    `the leader's data may take ${mebibytes(need)} on the disk while they arrive, and it has ${mebibytes(freeBytes)} left`,
    "Make room on the disk that holds the add-on's data",
  );
}

function linked({ leader }: Pair): Finding | undefined {
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
