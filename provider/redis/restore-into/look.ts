import type { HeldData } from "../../core/held-data";
import { exceedsMemory, formatProblem } from "../../core/restore-fit";
import type { Manifest } from "../../core/manifest";
import { serversThatLoad, versionFromInfo } from "../../core/version";
import type { RedisClient } from "../client";
import { Failure } from "../../core/errors";
import { heldData, isSet, numberIn, type Info } from "../info";
import { lastLoadFailed } from "../last-load";
import { mebibytes, refusal, type Finding } from "../preflight/finding";
import { RESTORE_USER_PREFIX } from "../replication/serve";
import { LET_GO } from "./lead";
import { lackingRights } from "./try-rights";

/** What a backup says of itself that matters to a server which shall load it. */
export interface SnapshotFacts {
  readonly server: Manifest["server"];
  readonly rdb: Manifest["rdb"];
  /** The highest number of a database that holds keys, where known. */
  readonly highestDatabase?: number | undefined;
  readonly usedMemoryBytes?: number | undefined;
}

/** A server that a snapshot shall be loaded into, as it is now. */
export interface TargetLook {
  /** `7.2.4`, `valkey-8.1.8`. */
  readonly version: string;
  /** What the snapshot would replace. */
  readonly held: HeldData;
  /** How many follow it: each is sent everything anew. */
  readonly followers: number;
  /** This machine as it sees it; absent: it doesn't tell. */
  readonly seesUsAs?: string | undefined;
  readonly findings: readonly Finding[];
}

/**
 * Asks a server what stands against its loading a snapshot that we send as its leader. Changes nothing. `snapshot`
 * absent: nothing is known of it yet.
 */
export async function lookAtTarget(
  client: RedisClient,
  snapshot: SnapshotFacts | undefined,
): Promise<TargetLook> {
  const info = await client.info();
  const common = {
    version: versionFromInfo(info)?.spelling ?? "unknown",
    held: heldData(info),
    followers: numberIn(info, "connected_slaves") ?? 0,
  };
  const role = await roleProblem(client, info);
  if (role !== undefined) return { ...common, findings: [role] };
  const lacking = await lackingRights(client);
  const settings = lacking.length > 0 ? undefined : await settingsOf(client);
  return {
    ...common,
    seesUsAs: await ourAddress(client),
    findings: [
      ...lacking,
      ...[
        snapshot && format(info, snapshot),
        snapshot && settings && databases(settings, snapshot),
        snapshot && memory(info, snapshot),
        settings && tls(settings),
        await sentinel(client),
      ].filter((finding) => finding !== undefined),
    ],
  };
}

async function roleProblem(client: RedisClient, info: Info): Promise<Finding | undefined> {
  if (info.get("redis_mode") === "sentinel")
    return refusal("is-sentinel", "it is a Sentinel, which holds no data", "Give the leader that it watches");
  if (info.get("redis_mode") === "cluster" || isSet(info, "cluster_enabled"))
    return refusal(
      "is-cluster",
      "it is a node of a cluster, which takes no data from outside of it",
      "Restore into a server without cluster mode, and move the keys from there",
    );
  if (isSet(info, "loading"))
    return {
      ...refusal("loading", "it is still loading its data", "Try again when it has finished"),
      transient: true,
    };
  if (info.get("role") !== "slave") return undefined;
  const leader = `${info.get("master_host") ?? ""}:${info.get("master_port") ?? ""}`;
  if (!(await isLeftover(client)))
    return refusal(
      "follows",
      `it follows ${leader}, and would go back to that one's data`,
      "Restore into its leader, or let it follow nobody first: REPLICAOF NO ONE",
    );
  const isEmptied = await lastLoadFailed(client, info);
  return refusal(
    "left-following",
    `it still follows ${leader}, where an earlier restore was killed, unless that one is still running`,
    isEmptied
      ? "Restart it: its memory is empty, and the data from before are in its AOF, which REPLICAOF NO ONE would overwrite"
      : `Run on it: ${LET_GO}`,
  );
}

async function isLeftover(client: RedisClient): Promise<boolean> {
  try {
    const user = (await client.config("masteruser")).get("masteruser");
    return user?.startsWith(RESTORE_USER_PREFIX) === true;
  } catch (error) {
    if (error instanceof Failure && error.code !== "connection-closed") return false;
    throw error;
  }
}

type Settings = ReadonlyMap<string, string>;

/** One by one: Redis 6.2 takes no list. */
async function settingsOf(client: RedisClient): Promise<Settings> {
  const found = new Map<string, string>();
  for (const name of ["databases", "tls-replication"])
    for (const [key, value] of await client.config(name)) found.set(key, value);
  return found;
}

function format(info: Info, { server, rdb }: SnapshotFacts): Finding | undefined {
  const version = versionFromInfo(info)?.spelling ?? "";
  if (serversThatLoad({ server, rdb }, [{ version }]).length > 0) return undefined;
  const { code, cause, hint } = formatProblem({ server, rdb }, [version]);
  return refusal(code, cause, hint);
}

function databases(settings: Settings, { highestDatabase }: SnapshotFacts): Finding | undefined {
  const has = Number(settings.get("databases"));
  // A server that lacks one of them ends while it loads.
  if (highestDatabase === undefined || !Number.isInteger(has) || highestDatabase < has) return undefined;
  return refusal(
    "too-few-databases",
    `the backup uses database ${highestDatabase}, and it has ${has} databases`,
    `Start it with databases ${highestDatabase + 1} or more`,
  );
}

function memory(info: Info, { usedMemoryBytes = 0 }: SnapshotFacts): Finding | undefined {
  const limit = numberIn(info, "maxmemory") ?? 0;
  if (!exceedsMemory(usedMemoryBytes, limit)) return undefined;
  // A follower ignores the limit, and drops keys or refuses writes as soon as it leads.
  return refusal(
    "too-little-memory",
    `the backup's data took ${mebibytes(usedMemoryBytes)}, and its maxmemory is ${mebibytes(limit)}`,
    `Give it more: CONFIG SET maxmemory ${Math.ceil(usedMemoryBytes * 1.1)}`,
  );
}

function tls(settings: Settings): Finding | undefined {
  if (settings.get("tls-replication") !== "yes") return undefined;
  return refusal(
    "follows-by-tls-only",
    "it follows leaders by TLS alone (tls-replication yes), and this restore is sent without",
    "Where the network between the two may be trusted: CONFIG SET tls-replication no for the time of the restore; else use --folder",
  );
}

/** Sentinels would take a leader that follows somebody for one that failed, and make another one the leader. */
async function sentinel(client: RedisClient): Promise<Finding | undefined> {
  const clients = await answered(client, "CLIENT", "LIST", "TYPE", "pubsub");
  if (clients === undefined || !/ name=sentinel-/.test(clients)) return undefined;
  return refusal(
    "watched-by-sentinel",
    "Sentinels watch it, and would make another server the leader while it loads",
    "Have each of them forget it for the time of the restore: SENTINEL REMOVE <name>",
  );
}

async function ourAddress(client: RedisClient): Promise<string | undefined> {
  const told = await answered(client, "CLIENT", "INFO");
  const address = / addr=(\S+):\d+ /.exec(told ?? "")?.[1];
  return address?.replace(/^\[|\]$/g, "");
}

/** Undefined where it may not be asked. */
async function answered(client: RedisClient, name: string, ...args: string[]): Promise<string | undefined> {
  try {
    return String(await client.command(name, ...args));
  } catch (error) {
    if (error instanceof Failure && ["not-permitted", "redis-error"].includes(error.code)) return undefined;
    throw error;
  }
}
