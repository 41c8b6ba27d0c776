import { changeRefused } from "../../core/change-refused";
import type { AddonRecord } from "../../core/facets";
import { followed } from "../../core/followed";
import { changeNeeds } from "../../core/settings";
import type { Task } from "../../core/task";
import type { BackupRunner } from "./backup-runner";
import { connectServer } from "../connections/connect-server";
import { log } from "../log";
import { becomeReadable } from "../replication/change/become-readable";
import type { Supervisor } from "../supervisor";

/**
 * Takes a backup of what an older server wrote last, before a newer one touches the data, and returns its slot; absent:
 * there are no data. Fails where it can't be taken, and where the newer server could not load the data at all.
 */
export async function backUpBeforeUpgrade(
  record: AddonRecord,
  version: string,
  { supervisor, backups }: { readonly supervisor: Supervisor; readonly backups: BackupRunner },
  task: Task,
): Promise<string | undefined> {
  const { name, server } = record;
  const needs = changeNeeds(server.wish, { ...server.wish, version });
  if (needs.kind === "refused") throw changeRefused(name, "version", needs);
  if (await supervisor.isEmpty(name)) return undefined;
  // Only a server that runs can be backed up; an agent that has just started may not have come to this one yet.
  await supervisor.place(name, task);
  const isChanged = await readable(record, task);
  try {
    const { slot } = await backups.beforeUpgrade(record, task);
    task.progress({ message: `backup ${slot} taken before the upgrade` });
    log(`${name}: backup ${slot} taken before the upgrade from ${server.wish.version} to ${version}`);
    return slot;
  } finally {
    if (isChanged) supervisor.touch(name);
  }
}

/** One that can't load its leader's snapshot has no link to it, and the upgrade may be what mends that. */
async function readable(record: AddonRecord, task: Task): Promise<boolean> {
  if (followed(record) === undefined) return false;
  await using running = await connectServer(record, task);
  return await becomeReadable(running, task, record.name);
}
