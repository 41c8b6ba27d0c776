import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { AddonRecord } from "../../core/facets";
import type { Extracted } from "../../core/job";
import type { RestoreSource } from "../../core/restore";
import type { Task } from "../../core/task";
import type { HomeLayout } from "../../platforms/local/home";
import { keptServerPath } from "../../platforms/local/servers";
import { discardJobFolders, jobFolder, makeExtractedFolder } from "../backups/job-folders";
import { runForCall } from "../backups/run-for-call";
import { namingFullDisk, requireSomeSpace } from "./full-disk";
import { noteHold, releaseHeld } from "./held-backup";

/**
 * A backup's files, complete and proved, on this disk, and the backup held in its store; disposing it removes what is
 * left of the files, and lets go of the backup unless a restore goes on that needs it.
 */
export interface FetchedBackup extends AsyncDisposable {
  readonly folder: string;
  readonly extracted: Extracted;
}

/**
 * Fetches a backup in a process of its own, proved with the server that shall load it. A caller that goes away takes the
 * job with it: nobody would use what it fetches.
 */
export async function fetchBackup(
  layout: HomeLayout,
  record: AddonRecord,
  source: RestoreSource,
  task: Task,
): Promise<FetchedBackup> {
  const { name } = record;
  const { version } = record.server.wish;
  const id = `${name}-restore-${randomUUID().slice(0, 8)}`;
  const removeAll = (): Promise<void> => discardJobFolders(layout, id);
  await requireSomeSpace(layout, name);
  try {
    // One of its own: what a killed job has half written beside its folder goes with it.
    const folder = join(await makeExtractedFolder(layout, id), "data");
    const extracted = await runForCall(
      layout,
      {
        ...{ kind: "restore", id, addon: { name }, source, folder, scratchFolder: jobFolder(layout, id) },
        proof: { servers: [{ path: keptServerPath(layout, version), version }] },
        keepsHold: true,
      },
      task,
    );
    if (extracted.outcome !== "extracted") throw new Error(`a restore job answered ${extracted.outcome}`);
    const { hold } = extracted;
    const held = hold === undefined ? undefined : await noteHold(layout.addon(name), source, hold);
    return {
      folder,
      extracted,
      async [Symbol.asyncDispose]() {
        await removeAll();
        held?.[Symbol.dispose]();
        await releaseHeld(layout, name);
      },
    };
  } catch (error) {
    const named = await namingFullDisk(layout, name, error);
    await removeAll();
    throw named;
  }
}
