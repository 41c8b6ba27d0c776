import { randomUUID } from "node:crypto";
import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { Failure } from "../../core/errors";
import type { AddonRecord } from "../../core/facets";
import { standing } from "../../core/instance";
import type { Task } from "../../core/task";
import type { BackupResult, Removal, RemovalRequest } from "../../platforms/contract";
import type { HomeLayout } from "../../platforms/local/home";
import { syncFolder } from "../../system/files";
import { log } from "../log";
import { changeRecord } from "../records/change-record";
import { releaseOldLeader } from "../replication/switch-over/old-leader";
import { saveBesideRestore } from "../restore/save-beside-restore";
import { choosePort } from "../server/choose-port";
import type { AgentService } from "../service";
import { settledRecord } from "./settled-record";

/** Removes an add-on after a final backup, where it wants one and there are data. In the add-on's queue. */
export async function remove(service: AgentService, request: RemovalRequest, task: Task): Promise<Removal> {
  const { layout, supervisor } = service;
  const existing = await settledRecord(service, request.name, task);
  if (existing === undefined) return { outcome: "absent" };
  if (request.token !== undefined && standing(existing.server.instance, request.token).kind !== "current")
    return { outcome: "stale" };

  const since = existing.removing?.since ?? new Date(task.clock.now()).toISOString();
  const record: AddonRecord = { ...existing, removing: { since } };
  supervisor.touch(record.name);
  await saveBesideRestore(layout, record);
  let finalBackup: BackupResult | undefined;
  try {
    // Users are shut out first: a write that is acknowledged after the final backup would be lost.
    if (request.withoutBackup === true) {
      log(`${record.name}: removed without a final backup, as a person asked for`);
    } else if (!record.server.wish.deletion.finalBackup) {
      log(`${record.name}: removed without a final backup, as its deletion.finalBackup says`);
    } else if (!(await supervisor.isEmpty(record.name))) {
      const placed = await placeForRemoval(service, record, task);
      finalBackup = await service.backups.final(placed, task);
    }
    await supervisor.stop(record.name, task, "the add-on is being removed");
  } catch (error) {
    // An agent that leaves leaves the rest to its successor, whom the caller asks again.
    if (!service.background.signal.aborted) await letUsersIn(service, record.name);
    throw error;
  }
  const oldLeader = await releaseOldLeader(layout, record);
  await discard(layout, record);
  if (oldLeader !== undefined) await service.placeInBackground(oldLeader);
  if (finalBackup !== undefined) return { outcome: "removed", finalBackup };
  if (request.withoutBackup === true) return { outcome: "removed", noBackup: "given-up" };
  const isWanted = record.server.wish.deletion.finalBackup;
  return { outcome: "removed", noBackup: isWanted ? "no-data" : "not-wanted" };
}

/** Its own port may be a stranger's by now; for a last backup any other will do. */
async function placeForRemoval(
  { layout, identity, supervisor }: AgentService,
  record: AddonRecord,
  task: Task,
): Promise<AddonRecord> {
  try {
    await supervisor.place(record.name, task);
    return record;
  } catch (error) {
    if (!(error instanceof Failure) || error.code !== "port-taken") throw error;
  }
  const bind = "127.0.0.1";
  const port = await choosePort(layout, identity.id, `${record.name}/removal`, bind, undefined);
  const elsewhere = (found: AddonRecord): AddonRecord => ({
    ...found,
    server: { ...found.server, wish: { ...found.server.wish, bind, port } },
  });
  await supervisor.place(record.name, task, elsewhere);
  return elsewhere(record);
}

/** A removal that failed, or whose caller went away, ends with the add-on as it was. */
async function letUsersIn(service: AgentService, name: string): Promise<void> {
  await changeRecord(service.layout, name, ({ removing: _, ...kept }) => kept);
  await service.placeInBackground(name);
}

/** One rename makes the add-on gone; what is slow comes after it, and the next start of an agent does it again. */
async function discard(layout: HomeLayout, record: AddonRecord): Promise<void> {
  const discarded = join(layout.trash, `${record.name}-${randomUUID()}`);
  await rename(layout.addon(record.name).root, discarded);
  await syncFolder(layout.addons);
  await rm(discarded, { recursive: true, force: true }).catch((error: unknown) => {
    log(`${record.name}: what is left of it stays in ${discarded}: ${String(error)}`);
  });
}
