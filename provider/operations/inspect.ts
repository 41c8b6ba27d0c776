import { parseDestination } from "../core/destination";
import { DEFAULT_BACKUPS, type AddonRecord } from "../core/facets";
import { nextSlot } from "../core/schedule";
import { s3Url } from "../core/s3-destination";
import { reachableHost } from "../core/settings";
import type { AddonStatus, BackupsState, Health, ReplicationState, ServerState } from "../core/status";
import type { Task } from "../core/task";
import { Failure } from "../core/errors";
import type { BackupRun, Placement, Platform } from "../platforms/contract";
import type { RedisClient } from "../redis/client";
import { observeServer, type ServerObservation } from "../redis/observe";
import type { Info } from "../redis/info";
import { classifySync } from "../redis/sync-status";
import { connectAdmin } from "./connect-admin";

/** Everything that is to be known of one add-on; absent: there is none of that name. Changes nothing. */
export async function inspect(
  platform: Platform,
  name: string,
  task: Task,
): Promise<AddonStatus | undefined> {
  const placement = await platform.placement(name);
  return placement === undefined ? undefined : statusOf(platform, placement, task);
}

/**
 * Every add-on of the platform, by name. One whose record can't be read, because it is damaged or of a newer version,
 * hides none of the others: `onUnreadable` hears of it, by default as progress.
 */
export async function inspectAll(
  platform: Platform,
  task: Task,
  onUnreadable: (failure: Failure) => void = ({ message }) => {
    task.progress({ message });
  },
): Promise<AddonStatus[]> {
  const names = await platform.names();
  const found = await Promise.all(
    names.map((name) =>
      inspect(platform, name, task).catch((error: unknown) => {
        if (!(error instanceof Failure) || error.code !== "record-unreadable") throw error;
        onUnreadable(error);
        return undefined;
      }),
    ),
  );
  return found.filter((status) => status !== undefined);
}

async function statusOf(platform: Platform, placement: Placement, task: Task): Promise<AddonStatus> {
  const { record, home } = placement;
  const { server, replication } = await look(platform, placement, task);
  const problems = [
    ...(server.state === "stopped" || server.state === "unreachable" ? [server.why] : []),
    ...(replication.role === "follower" && replication.sync.state === "broken" ? [replication.sync.why] : []),
    ...(placement.process.state === "running" && placement.process.trouble !== undefined
      ? [placement.process.trouble]
      : []),
    ...(placement.unattended === undefined ? [] : [placement.unattended]),
    ...(placement.lastRun?.outcome === "failed"
      ? [`the last backup failed: ${placement.lastRun.detail}`]
      : []),
  ];
  return {
    name: record.name,
    owner: record.owner,
    createdAt: record.createdAt,
    home,
    host: reachableHost(record.server.wish.bind),
    port: record.server.wish.port,
    wish: record.server.wish,
    health: healthOf(record, server, replication, problems),
    problems,
    server,
    replication,
    backups: backupsOf(placement, task),
  };
}

async function look(
  platform: Platform,
  placement: Placement,
  task: Task,
): Promise<{ server: ServerState; replication: ReplicationState }> {
  const { record, process } = placement;
  if (process.state !== "running") return { server: process, replication: recordedReplication(record) };
  try {
    await using client = await connectAdmin(platform, record, task);
    const observed = await observeServer(client);
    return {
      server: observed.loading ? { state: "starting" } : running(observed, process.pid),
      replication: await replicationOf(platform, record, client, observed, task),
    };
  } catch (error) {
    task.signal.throwIfAborted();
    const why = error instanceof Failure ? error.cause : String(error);
    return { server: { state: "unreachable", why }, replication: recordedReplication(record) };
  }
}

function running(observed: ServerObservation, pid: number): ServerState {
  return {
    state: "running",
    version: observed.version,
    pid,
    memoryUsedBytes: observed.usedMemoryBytes,
    keys: Object.values(observed.keysByDatabase).reduce((sum, keys) => sum + keys, 0),
    connections: observed.connectedClients,
    uptimeSeconds: observed.uptimeSeconds,
  };
}

async function replicationOf(
  platform: Platform,
  record: AddonRecord,
  client: RedisClient,
  observed: ServerObservation,
  task: Task,
): Promise<ReplicationState> {
  if (record.replication === undefined) {
    // A backup that is being taken is listed too, for a moment; it announces no port.
    const followers = observed.followers.filter(({ port }) => port !== 0);
    return { role: "leader", followers: followers.map(({ host, port }) => ({ host, port })) };
  }
  const recorded = recordedReplication(record);
  if (recorded.role === "leader") return recorded;
  const leader = await leaderInfo(platform, record, task);
  const sync = classifySync({ follower: await client.info(), leader });
  return {
    role: "follower",
    leader: { ...recorded.leader, ...(observed.leader ?? {}) },
    sync,
  };
}

/** A leader of the same platform tells how far it is; for others the follower's own word has to do. */
async function leaderInfo(platform: Platform, record: AddonRecord, task: Task): Promise<Info | undefined> {
  const wish = record.replication?.wish;
  const leader = wish?.kind === "addon" ? await platform.load(wish.addon) : undefined;
  if (leader === undefined) return undefined;
  try {
    await using client = await connectAdmin(platform, leader, task);
    return await client.info();
  } catch {
    task.signal.throwIfAborted();
    return undefined;
  }
}

function recordedReplication(record: AddonRecord): ReplicationState {
  const wish = record.replication?.wish;
  if (wish === undefined) return { role: "leader", followers: [] };
  const leader =
    wish.kind === "external"
      ? { host: wish.host, port: wish.port }
      : { host: "127.0.0.1", port: 0, addon: wish.addon };
  return { role: "follower", leader, sync: { state: "connecting" } };
}

function healthOf(
  record: AddonRecord,
  server: ServerState,
  replication: ReplicationState,
  problems: readonly string[],
): Health {
  if (record.removing !== undefined) return "removing";
  if (server.state === "starting") return "starting";
  if (server.state !== "running") return "down";
  if (
    replication.role === "follower" &&
    replication.sync.state !== "synced" &&
    replication.sync.state !== "broken"
  )
    return "syncing";
  return problems.length === 0 ? "healthy" : "degraded";
}

function backupsOf({ record, destination, lastRun }: Placement, task: Task): BackupsState {
  const { schedule, retention } = record.backups?.wish ?? DEFAULT_BACKUPS;
  const next = nextSlot(schedule, task.clock.now());
  return {
    schedule,
    retention,
    catalog: `${shown(destination)}/${record.catalogKey}`,
    ...(next === undefined ? {} : { next: new Date(next).toISOString() }),
    ...(lastRun === undefined ? {} : { lastRun: runOf(lastRun) }),
  };
}

/** What keys are joined to: without a store's parameters, which say where it answers. */
function shown(destination: string): string {
  const parsed = parseDestination(destination);
  return parsed.kind === "s3" ? s3Url(parsed) : destination.replace(/\/$/, "");
}

/** Without what the platform notes besides for itself. */
function runOf({
  at,
  outcome,
  detail,
  verification,
  warnings,
}: BackupRun): NonNullable<BackupsState["lastRun"]> {
  return {
    ...{ at, outcome, detail },
    ...(verification === undefined ? {} : { verification }),
    ...(warnings === undefined ? {} : { warnings }),
  };
}
