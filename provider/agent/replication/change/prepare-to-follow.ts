import { noSuchLeader } from "../../../core/as-leader";
import { Failure } from "../../../core/errors";
import type { AddonRecord, ReplicationWish } from "../../../core/facets";
import { followingLoop, loopWords } from "../../../core/following-loop";
import { followsAlready } from "../../../core/follows-already";
import { heldWords, holdsAnything, holdsData, type HeldData } from "../../../core/held-data";
import type { Task } from "../../../core/task";
import type { BackupResult, FacetChange, OnData } from "../../../platforms/contract";
import { readRecord } from "../../../platforms/local/records";
import { heldData, isSet, type Info } from "../../../redis/info";
import { lastLoadFailed } from "../../../redis/last-load";
import type { RedisClient } from "../../../redis/client";
import { requirePlaceForBackups } from "../../backups/require-place";
import { connectServer } from "../../connections/connect-server";
import { log } from "../../log";
import type { AgentService } from "../../service";
import { continuesHistory } from "./continues-history";
import { refuseWrites } from "./refuse-writes";
import { safetyBackup } from "./safety-backup";

interface Prepared {
  readonly safetyBackup?: BackupResult;
}

/**
 * Before an add-on is told to follow: what it would lose is refused, or backed up. What was acknowledged to a user before
 * is then in the backup, and what comes later is refused: the server is left read-only, following nobody, and the change
 * that is recorded next completes it. Where this fails, or its caller goes away, users have their rights back.
 */
export async function prepareToFollow(
  service: AgentService,
  existing: AddonRecord,
  { wish, onData = "refuse" }: Extract<FacetChange, { facet: "replication" }>,
  task: Task,
): Promise<Prepared> {
  if (wish === undefined || wish.position !== undefined) return {};
  const leader = await leadingRecord(service, existing.name, wish);
  if (followsAlready(existing, wish, leader?.createdAt)) return {};
  await refuseLoop(service, existing.name, leader);
  // Only a server that runs can be looked at; and what an earlier call left undone is done before anything is judged.
  await service.supervisor.place(existing.name, task);
  try {
    await using server = await connectServer(existing, task);
    const prepared = await keepReplaceOrRefuse(service, { record: existing, wish, server, onData }, task);
    // Another one of the loop may have been told to follow meanwhile: its calls stand in a queue of their own.
    await refuseLoop(service, existing.name, await leadingRecord(service, existing.name, wish));
    return prepared;
  } catch (error) {
    await giveRightsBack(service, existing.name);
    throw error;
  }
}

interface Wanted {
  readonly record: AddonRecord;
  readonly wish: ReplicationWish;
  readonly server: RedisClient;
  readonly onData: OnData;
}

async function keepReplaceOrRefuse(
  service: AgentService,
  { record, wish, server, onData }: Wanted,
  task: Task,
): Promise<Prepared> {
  const { name } = record;
  // A place that takes no backup must not cost its users the time that finding this out takes.
  if (onData === "replace" && holdsAnything((await counted(server, name)).held))
    await requirePlaceForBackups(service.layout, record, task);
  const writes = await refuseWrites(server);
  const { info, held } = await counted(server, name);
  // What was true when it was asked for need not be true now that nobody writes any more.
  const isKept = onData === "keep" && (await continuesHistory(service.layout, info, wish, task));
  if (isKept || !holdsAnything(held)) {
    await writes.standStill();
    return {};
  }
  if (onData !== "replace") throw holdsData(name, held, info.get("role") === "slave");
  log(`${name}: takes no writes while ${heldWords(held)} are backed up, to be replaced by a leader's`);
  const backup = await safetyBackup(service, { record, server, held }, task);
  await writes.standStill();
  return { safetyBackup: backup };
}

async function counted(server: RedisClient, name: string): Promise<{ info: Info; held: HeldData }> {
  const info = await server.info();
  if (isSet(info, "loading") || (await lastLoadFailed(server, info))) throw notInMemory(name);
  return { info, held: heldData(info) };
}

async function leadingRecord(
  { layout }: AgentService,
  follower: string,
  wish: ReplicationWish,
): Promise<AddonRecord | undefined> {
  if (wish.kind === "external") return undefined;
  const leader = await readRecord(layout, wish.addon);
  if (leader === undefined) throw noSuchLeader(wish.addon, follower);
  return leader;
}

async function refuseLoop(
  { layout }: AgentService,
  name: string,
  leader: AddonRecord | undefined,
): Promise<void> {
  const loop = leader && (await followingLoop(name, leader, (other) => readRecord(layout, other)));
  if (loop === undefined) return;
  throw new Failure({
    code: "replication-loop",
    operation: "follow with",
    subject: name,
    ...loopWords(loop),
  });
}

/** Its keys are not counted in memory, and a full sync would erase them on its disk. */
function notInMemory(name: string): Failure {
  return new Failure({
    code: "loading",
    operation: "follow with",
    subject: name,
    cause: "its data are on its disk and not in memory yet, so nobody can tell what would be replaced",
    hint: "Try again when its server has loaded them",
    transient: true,
  });
}

/** An agent that leaves leaves this to its successor, whose first look at each server does it. */
async function giveRightsBack(service: AgentService, name: string): Promise<void> {
  if (service.background.signal.aborted) return;
  await service.placeInBackground(name);
}
