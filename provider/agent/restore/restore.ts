import { isDeepStrictEqual } from "node:util";
import { Failure } from "../../core/errors";
import type { AddonRecord } from "../../core/facets";
import { standing } from "../../core/instance";
import type { Restored } from "../../core/restore";
import type { Task } from "../../core/task";
import type { RestoreRequest, RestoreResult } from "../../platforms/contract";
import { readRecord } from "../../platforms/local/records";
import { log } from "../log";
import { noSuchAddon, refuseForeign } from "../records/claims";
import { followersOf } from "../replication/leader/leader-of";
import type { AgentService } from "../service";
import { beginRestore } from "./begin-restore";
import { fetchBackup, type FetchedBackup } from "./fetch-backup";
import { exists } from "./folders";
import { namingFullDisk } from "./full-disk";
import { keptFolder } from "./leftovers";
import { placeOrDown, refuseToReplace } from "./prepare-to-replace";
import { refuseAsRecorded } from "./refusals";
import { requireDatabases } from "./require-databases";
import { readRestoreNote, removeRestoreNote } from "./restore-note";
import { restoreUndone } from "./settle-restore";
import { markUnderWay } from "./under-way";

/** A server that ends between its answer and the count is started again. */
const TRIES = 3;

/**
 * Puts the data of a backup in place of an add-on's own. They are fetched and proved first, while its users go on; then
 * their writes are refused, what they wrote is backed up and verified, and the intent is recorded. From there on whoever
 * places the server completes the restore or undoes it, this agent or the next one.
 *
 * A program's request that was completed before is success. A person's is done again: who says it twice means it. One
 * that is under way is completed for either; one that the last agent has undone is told once to whoever asks for it again.
 *
 * `downtimeMs` counts from the moment that users' writes were refused until they could write again; they could read for
 * most of it. Of a restore that an earlier call began: from its intent.
 */
export async function restore(
  service: AgentService,
  request: RestoreRequest,
  task: Task,
): Promise<RestoreResult> {
  using _ = markUnderWay(service.layout.addon(request.name));
  try {
    return await restoreOrFail(service, request, task);
  } catch (error) {
    throw await namingFullDisk(service.layout, request.name, error);
  }
}

async function restoreOrFail(
  service: AgentService,
  request: RestoreRequest,
  task: Task,
): Promise<RestoreResult> {
  const { layout, supervisor } = service;
  const { name, claim, from } = request;
  const existing = await supervisor.handOvers.settled(name, task);
  if (existing === undefined) return { outcome: "absent" };
  refuseForeign(existing, claim);
  if (claim.kind !== "person" && standing(existing.server.instance, claim.token).kind === "stale")
    return { outcome: "stale" };

  const completed = await completedNow(service, existing, request, task);
  if (completed !== undefined) return completed;
  const record = await presentRecord(service, name);
  if (claim.kind !== "person" && isDeepStrictEqual(record.restored?.from, from))
    return { outcome: "restored", record, warnings: [] };
  refuseAsRecorded(record);
  await tellUndone(service, request);

  if ((await placeOrDown(service, request, task)) === "runs") await refuseToReplace(record, request, task);
  await using fetched = await fetchBackup(layout, record, request.source, task);
  requireDatabases(record, fetched.extracted);
  // Awaited here: what was fetched goes with this block.
  return await replaced(service, request, fetched, task);
}

/** What an earlier call began is completed first, or undone: also where something else is to be restored now. */
async function completedNow(
  service: AgentService,
  existing: AddonRecord,
  { name, from }: RestoreRequest,
  task: Task,
): Promise<RestoreResult | undefined> {
  const { restoring } = existing;
  if (restoring === undefined) return undefined;
  const isWanted = isDeepStrictEqual(restoring.from, from);
  try {
    await service.supervisor.place(name, task);
  } catch (error) {
    task.signal.throwIfAborted();
    if (isWanted && error instanceof Failure && error.code === "restore-undone")
      await removeRestoreNote(service.layout.addon(name));
    if (isWanted) throw error;
    log(`${name}: ${String(error)}`);
  }
  const record = await presentRecord(service, name);
  if (!isWanted || !isCompleted(record, existing.restored)) return undefined;
  const downtimeMs = Math.max(0, task.clock.now() - Date.parse(restoring.since));
  return { outcome: "restored", record, downtimeMs, warnings: [] };
}

/** Fails where the same restore was undone, and nobody was told why. */
async function tellUndone(
  { layout }: AgentService,
  { name, from }: Pick<RestoreRequest, "name" | "from">,
): Promise<void> {
  const files = layout.addon(name);
  const note = await readRestoreNote(files);
  if (note?.undoing === undefined || !isDeepStrictEqual(note.from, from)) return;
  await removeRestoreNote(files);
  throw restoreUndone(name, note.undoing, note.safetyBackup);
}

/** Exchanges the data, which are fetched, and returns once users can write to them. */
async function replaced(
  service: AgentService,
  request: RestoreRequest,
  fetched: FetchedBackup,
  task: Task,
): Promise<RestoreResult> {
  const { layout } = service;
  const { name } = request;
  const followers = await followersOf(layout, name);
  const begun = await beginRestore(service, request, fetched, task).catch(async (error: unknown) => {
    const named = await namingFullDisk(layout, name, error);
    await giveRightsBack(service, [name, ...followers]);
    throw named;
  });
  const { safetyBackup, refusedSince } = begun;
  try {
    const record = await placed(service, begun.record, request, task);
    const downtimeMs = Math.round(task.clock.now() - refusedSince);
    task.progress({ message: `restored; users could not write for ${(downtimeMs / 1000).toFixed(1)} s` });
    const kept = keptFolder(layout, name, begun.record.restoring?.since);
    const ofKept = (await exists(kept))
      ? [`The files that were replaced could not be backed up, and are kept in ${kept}`]
      : [];
    return {
      ...{ outcome: "restored", record, downtimeMs, warnings: [...begun.warnings, ...ofKept] },
      ...(safetyBackup === undefined ? {} : { safetyBackup }),
    };
  } finally {
    // Those whose data were saved follow nobody until they are placed.
    for (const follower of followers) service.supervisor.touch(follower);
  }
}

/** The record once the restore is completed; throws where it was undone, or where something that may pass holds it up. */
async function placed(
  service: AgentService,
  { restoring, restored }: AddonRecord,
  { name, from }: RestoreRequest,
  task: Task,
): Promise<AddonRecord> {
  const { layout, supervisor } = service;
  supervisor.touch(name);
  for (let tries = 1; ; tries++) {
    try {
      await supervisor.place(name, task);
    } catch (error) {
      task.signal.throwIfAborted();
      const isOver = error instanceof Failure && error.code === "restore-undone";
      if (isOver) await removeRestoreNote(layout.addon(name));
      if (isOver || tries >= TRIES) throw error;
      log(`${name}: ${String(error)}`);
      continue;
    }
    const record = await presentRecord(service, name);
    if (isCompleted(record, restored)) return record;
    // Somebody else's look came before this placing, and undid it.
    await tellUndone(service, { name, from });
    throw restoreUndone(name, `see ${layout.agentLog}`, restoring?.safetyBackup);
  }
}

/** Whether a restore has come to its end since: `before` is the last one that had, until then. */
function isCompleted({ restoring, restored }: AddonRecord, before: Restored | undefined): boolean {
  return restoring === undefined && restored !== undefined && !isDeepStrictEqual(restored, before);
}

async function presentRecord({ layout, identity }: AgentService, name: string): Promise<AddonRecord> {
  const record = await readRecord(layout, name);
  if (record === undefined) throw noSuchAddon(name, identity);
  return record;
}

/** An agent that leaves leaves this to its successor, whose first look at each server does it. */
async function giveRightsBack(service: AgentService, names: readonly string[]): Promise<void> {
  if (service.background.signal.aborted) return;
  for (const name of names) await service.placeInBackground(name);
}
