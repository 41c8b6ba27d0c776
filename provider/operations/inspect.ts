import { asFailure, Failure } from "../core/errors";
import type { AddonRecord } from "../core/facets";
import type { Restoring } from "../core/restore";
import { reachableHost } from "../core/settings";
import type { AddonStatus, Health, ReplicationState, ServerState } from "../core/status";
import type { Task } from "../core/task";
import type { Placement, Platform } from "../platforms/contract";
import { isSet, type Info } from "../redis/info";
import { observationFrom, type ServerObservation } from "../redis/observe";
import { connectAdmin, type ConnectAdmin } from "./connect-admin";
import { backupsOf } from "./inspect/backups";
import type { Look } from "./inspect/look";
import { readOnce } from "./inspect/read-once";
import { recordedReplication, seenReplication, type SeenReplication } from "./inspect/replication";
import { severalAtOnce } from "./several-at-once";

/** One that hangs must not keep the others waiting for as long as it is waited for. */
const SERVERS_AT_ONCE = 32;

/**
 * Everything that is to be known of one add-on; absent: there is none of that name. Changes nothing. Who looks again and
 * again keeps connections open and gives them to it as `connect`.
 */
export async function inspect(
  platform: Platform,
  name: string,
  task: Task,
  connect: ConnectAdmin = connectAdmin,
): Promise<AddonStatus | undefined> {
  const placement = await platform.placement(name);
  return placement === undefined ? undefined : statusOf({ platform, connect }, placement, task);
}

/** What is made of each add-on that was looked at, in the order in which they answer. */
export interface Lookout {
  readonly seen: (status: AddonStatus) => void;
  /** Nothing can be said of it: its record is damaged or of a newer version, or can't be read at all. */
  readonly unreadable: (failure: Failure, name: string) => void;
}

/** Looks at every add-on of the platform; one that can't be looked at hides none of the others. */
export async function inspectEach(
  platform: Platform,
  { seen, unreadable }: Lookout,
  task: Task,
  connect: ConnectAdmin = connectAdmin,
): Promise<void> {
  const once = readOnce(platform);
  await severalAtOnce(
    await once.names(),
    async (name) => {
      try {
        const status = await inspect(once, name, task, connect);
        if (status !== undefined) seen(status);
      } catch (error) {
        task.signal.throwIfAborted();
        unreadable(asFailure(error, "look at", name), name);
      }
    },
    SERVERS_AT_ONCE,
  );
}

/** Every add-on of the platform, by name. `onUnreadable` hears of records that can't be read, by default as progress. */
export async function inspectAll(
  platform: Platform,
  task: Task,
  onUnreadable: (failure: Failure) => void = ({ message }) => {
    task.progress({ message });
  },
): Promise<AddonStatus[]> {
  const found: AddonStatus[] = [];
  await inspectEach(platform, { seen: (status) => found.push(status), unreadable: onUnreadable }, task);
  return found.toSorted((a, b) => (a.name < b.name ? -1 : 1));
}

async function statusOf(look: Look, placement: Placement, task: Task): Promise<AddonStatus> {
  const { record, home } = placement;
  const { server, replication, problems: ofReplication } = await serverOf(look, placement, task);
  const backups = backupsOf(placement, task);
  const problems = [
    ...(server.state === "stopped" || server.state === "unreachable" ? [server.why] : []),
    ...ofReplication,
    ...(record.restoring === undefined ? [] : [restoringWords(record.restoring)]),
    ...(placement.process.state === "running" && placement.process.trouble !== undefined
      ? [placement.process.trouble]
      : []),
    ...(placement.unattended === undefined ? [] : [placement.unattended]),
    ...(backups.health.why === undefined ? [] : [backups.health.why]),
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
    backups,
    ...(record.restored === undefined ? {} : { restored: record.restored }),
    ...(record.restoring === undefined ? {} : { restoring: record.restoring }),
  };
}

function restoringWords({ backup, since }: Restoring): string {
  return `backup ${backup} is being restored since ${since}: users can't write`;
}

async function serverOf(
  look: Look,
  placement: Placement,
  task: Task,
): Promise<SeenReplication & { readonly server: ServerState }> {
  const { record, process } = placement;
  if (process.state !== "running") {
    const why = process.state === "starting" ? "its server is starting" : "its server does not run";
    return { server: process, ...(await recordedReplication(look, placement, why, task)) };
  }
  try {
    await using client = await look.connect(look.platform, record, task);
    const info = await client.info();
    const observed = observationFrom(info);
    return {
      server: isStarting(info) ? { state: "starting" } : running(observed, process.pid),
      ...(await seenReplication(look, placement, { client, info }, task)),
    };
  } catch (error) {
    task.signal.throwIfAborted();
    const why = error instanceof Failure ? error.cause : String(error);
    const recorded = await recordedReplication(look, placement, "its server does not answer", task);
    return { server: { state: "unreachable", why }, ...recorded };
  }
}

/** A follower that loads its leader's snapshot has started long ago. */
function isStarting(info: Info): boolean {
  return isSet(info, "loading") && !isSet(info, "master_sync_in_progress");
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
    operationsPerSecond: observed.operationsPerSecond,
    keyspaceHits: observed.keyspaceHits,
    keyspaceMisses: observed.keyspaceMisses,
    evictedKeys: observed.evictedKeys,
  };
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
  if (isSyncing(replication)) return "syncing";
  return problems.length === 0 ? "healthy" : "degraded";
}

/** Where it is known why there is no link, nothing is under way. */
function isSyncing(replication: ReplicationState): boolean {
  if (replication.role === "leader") return false;
  const { sync } = replication;
  if (sync.state === "connecting") return sync.why === undefined;
  return sync.state !== "synced" && sync.state !== "broken";
}
