import { versionFromInfo } from "../core/version";
import type { RedisClient } from "./client";
import { isSet, keysByDatabase, numberIn, pairsIn, type Info } from "./info";

interface ConnectedFollower {
  readonly host: string;
  readonly port: number;
  /** Redis's word: `wait_bgsave`, `send_bulk`, `online`. */
  readonly state: string;
  readonly offset: number;
  /** Since it last acknowledged what it has. */
  readonly lagSeconds: number;
}

/** What one server says about itself. */
export interface ServerObservation {
  /** As outputs spell it: `7.2.4`, `valkey-8.1.8`. */
  readonly version: string;
  /** Another one after each start. */
  readonly runId: string;
  readonly processId: number | undefined;
  readonly uptimeSeconds: number;
  readonly usedMemoryBytes: number;
  /** 0: no limit. */
  readonly maxMemoryBytes: number;
  readonly evictionPolicy: string;
  readonly connectedClients: number;
  readonly operationsPerSecond: number;
  /** These three since it started. */
  readonly keyspaceHits: number;
  readonly keyspaceMisses: number;
  readonly evictedKeys: number;
  /** Only databases that hold keys. */
  readonly keysByDatabase: Readonly<Record<number, number>>;
  readonly role: "leader" | "follower";
  /** Whom it follows. */
  readonly leader?: { readonly host: string; readonly port: number; readonly linkUp: boolean };
  readonly followers: readonly ConnectedFollower[];
  readonly replicationId: string;
  readonly offset: number;
  readonly loading: boolean;
  readonly persistence: Persistence;
  /** Commands of its leader that it could not apply, since it started. */
  readonly unexpectedErrorReplies: number;
}

interface Persistence {
  readonly aofEnabled: boolean;
  readonly aofRewriteInProgress: boolean;
  readonly aofRewriteScheduled: boolean;
  readonly aofLastRewriteOk: boolean;
  readonly aofLastWriteOk: boolean;
  readonly snapshotInProgress: boolean;
}

export async function observeServer(client: RedisClient): Promise<ServerObservation> {
  return observationFrom(await client.info());
}

export function observationFrom(info: Info): ServerObservation {
  const follows = info.get("role") === "slave";
  return {
    version: versionFromInfo(info)?.spelling ?? "unknown",
    runId: info.get("run_id") ?? "",
    processId: numberIn(info, "process_id"),
    uptimeSeconds: numberIn(info, "uptime_in_seconds") ?? 0,
    usedMemoryBytes: numberIn(info, "used_memory") ?? 0,
    maxMemoryBytes: numberIn(info, "maxmemory") ?? 0,
    evictionPolicy: info.get("maxmemory_policy") ?? "",
    connectedClients: numberIn(info, "connected_clients") ?? 0,
    operationsPerSecond: numberIn(info, "instantaneous_ops_per_sec") ?? 0,
    keyspaceHits: numberIn(info, "keyspace_hits") ?? 0,
    keyspaceMisses: numberIn(info, "keyspace_misses") ?? 0,
    evictedKeys: numberIn(info, "evicted_keys") ?? 0,
    keysByDatabase: keysByDatabase(info),
    role: follows ? "follower" : "leader",
    ...(follows ? { leader: leaderIn(info) } : {}),
    followers: followersIn(info),
    replicationId: info.get("master_replid") ?? "",
    // A follower's own field counts what it has applied; master_repl_offset follows it only once it has.
    offset: numberIn(info, follows ? "slave_repl_offset" : "master_repl_offset") ?? 0,
    loading: isSet(info, "loading"),
    persistence: persistenceIn(info),
    unexpectedErrorReplies: numberIn(info, "unexpected_error_replies") ?? 0,
  };
}

function persistenceIn(info: Info): Persistence {
  return {
    aofEnabled: isSet(info, "aof_enabled"),
    aofRewriteInProgress: isSet(info, "aof_rewrite_in_progress"),
    aofRewriteScheduled: isSet(info, "aof_rewrite_scheduled"),
    aofLastRewriteOk: info.get("aof_last_bgrewrite_status") === "ok",
    aofLastWriteOk: info.get("aof_last_write_status") === "ok",
    snapshotInProgress: isSet(info, "rdb_bgsave_in_progress"),
  };
}

function leaderIn(info: Info) {
  return {
    host: info.get("master_host") ?? "",
    port: numberIn(info, "master_port") ?? 0,
    linkUp: info.get("master_link_status") === "up",
  };
}

function followersIn(info: Info): ConnectedFollower[] {
  const followers: ConnectedFollower[] = [];
  for (const [field, value] of info) {
    if (!/^slave\d+$/.test(field)) continue;
    const pairs = pairsIn(value);
    followers.push({
      host: pairs.get("ip") ?? "",
      port: Number(pairs.get("port") ?? 0),
      state: pairs.get("state") ?? "",
      offset: Number(pairs.get("offset") ?? 0),
      lagSeconds: Number(pairs.get("lag") ?? 0),
    });
  }
  return followers;
}
