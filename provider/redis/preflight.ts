import type { HeldData } from "../core/held-data";
import type { LeaderAddress } from "../core/render";
import type { Task } from "../core/task";
import { authority } from "../core/uri";
import type { RedisClient } from "./client";
import { heldData, numberIn, totalKeys } from "./info";
import { probeLeader } from "./leader-probe";
import { observationFrom } from "./observe";
import type { Finding } from "./preflight/finding";
import { fit, type Pair } from "./preflight/fit";
import { identity } from "./preflight/identity";
import { sharesHistory } from "./preflight/shares-history";

export interface Preflight {
  readonly findings: readonly Finding[];
  /** What following would throw away, as far as memory tells. */
  readonly held: HeldData;
  /** The keys of it. */
  readonly followerKeys: number;
  /** Whether it follows this very address already, so that nothing would be thrown away. */
  readonly followsAlready: boolean;
  /** Whether all it holds is a part of the leader's history that it can go on from: nothing is sent twice. */
  readonly sharesHistory: boolean;
  /** Absent where the leader can't be reached or doesn't show its INFO. */
  readonly leader?: { readonly version: string; readonly keys: number; readonly usedMemoryBytes: number };
}

interface PreflightOptions {
  /** The leader's configured number, where the caller knows it: a replication user may not read it there. */
  readonly leaderDatabases?: number | undefined;
  /** On the disk that holds the follower's data; absent: not compared. */
  readonly freeBytes?: number | undefined;
  /** How long the leader may take for each answer; 5 s unless given. */
  readonly leaderTimeoutMs?: number;
}

type Asking = Pick<Task, "signal"> & Partial<Pick<Task, "clock">>;

/** What stands against a server following a leader. Reads only; a preview may call it. */
export async function preflightLeader(
  follower: RedisClient,
  leader: LeaderAddress,
  task: Asking,
  { leaderDatabases, freeBytes, leaderTimeoutMs }: PreflightOptions = {},
): Promise<Preflight> {
  // Before the leader's: what it has received when that is asked, it may lack now, never the other way round.
  const info = await follower.info();
  const databases = Number((await follower.config("databases")).get("databases"));
  const probe = await probeLeader(leader, task, leaderTimeoutMs);
  const held = heldData(info);
  const known = {
    held,
    followerKeys: held.keys,
    followsAlready: info.get("master_host") === leader.host && numberIn(info, "master_port") === leader.port,
  };
  if (probe.kind === "failed" || probe.info === undefined)
    return { ...known, sharesHistory: false, findings: unknownLeader(leader, probe) };
  const pair = {
    follower: info,
    followerDatabases: databases,
    freeBytes,
    leader: probe.info,
    leaderDatabases: leaderDatabases ?? probe.databases,
  };
  return {
    ...known,
    sharesHistory: sharesHistory(info, probe.info),
    leader: {
      version: observationFrom(probe.info).version,
      keys: totalKeys(probe.info),
      usedMemoryBytes: numberIn(probe.info, "used_memory") ?? 0,
    },
    findings: compareServers(pair),
  };
}

/** What can be known of a leader before there is an add-on to follow it. */
export async function preflightLeaderAlone(
  leader: LeaderAddress,
  task: Asking,
  timeoutMs?: number,
): Promise<readonly Finding[]> {
  return unknownLeader(leader, await probeLeader(leader, task, timeoutMs));
}

/** The pure part: two servers' own words about themselves. */
function compareServers(pair: Pair): readonly Finding[] {
  const same = identity(pair.follower, pair.leader);
  return same === undefined ? fit(pair) : [same];
}

/** Of one that couldn't be asked, or that shows nothing of itself. */
function unknownLeader(
  { host, port }: LeaderAddress,
  probe: Awaited<ReturnType<typeof probeLeader>>,
): readonly Finding[] {
  if (probe.kind === "failed") {
    const { code, cause, hint, transient } = probe.failure;
    return [{ code, severity: "refuse", cause, hint, transient }];
  }
  if (probe.info !== undefined) return [];
  return [
    {
      code: "leader-unknown",
      severity: "warn",
      cause:
        `the leader ${authority(host, port)} does not show its INFO to this user, so these could not be compared: ` +
        "version, databases, modules, memory, disk, and whether it is this very server or follows it",
      hint: "Allow it INFO (ACL SETUSER <user> +info), to have them compared before anything is overwritten",
      transient: false,
    },
  ];
}
