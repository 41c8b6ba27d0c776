import type { AddonRecord } from "../../core/facets";
import type { Restoring } from "../../core/restore";
import type { Task } from "../../core/task";
import type { BackupResult, RestoreRequest } from "../../platforms/contract";
import { readRecord } from "../../platforms/local/records";
import { log } from "../log";
import { changeRecord } from "../records/change-record";
import { noSuchAddon } from "../records/claims";
import type { AgentService } from "../service";
import type { FetchedBackup } from "./fetch-backup";
import { beginStaging } from "./leftovers";
import { placeOrDown, prepareToReplace, prepareUnseen } from "./prepare-to-replace";
import { refuseAsRecorded } from "./refusals";
import { writeRestoreNote } from "./restore-note";
import { saveFollowers } from "./save-followers";
import { stage } from "./stage";

interface Begun {
  /** With the intent. */
  readonly record: AddonRecord;
  readonly safetyBackup: BackupResult | undefined;
  /** When users' writes were refused, in milliseconds since the Unix epoch. */
  readonly refusedSince: number;
  readonly warnings: readonly string[];
}

/**
 * Saves what is replaced and records that the backup's data, which are fetched, shall take its place: from its return on
 * a restore that is cut off is completed by whoever places the server next. Where this fails, nothing was replaced;
 * users may have lost their right to write, and what was staged lies there, until the servers are placed again.
 */
export async function beginRestore(
  service: AgentService,
  request: RestoreRequest,
  { folder, extracted }: FetchedBackup,
  task: Task,
): Promise<Begun> {
  const { layout, identity, supervisor } = service;
  const { name, from } = request;
  const files = layout.addon(name);
  // Fetching may have taken hours: its server may have ended since, or run again.
  const stands = await placeOrDown(service, request, task);
  const present = await readRecord(layout, name);
  if (present === undefined) throw noSuchAddon(name, identity);
  refuseAsRecorded(present);

  using _ = beginStaging(files);
  const since = new Date(task.clock.now()).toISOString();
  // Before users' writes are refused: what takes time here costs none of theirs.
  await stage(files, name, folder);
  await writeRestoreNote(files, { since, from, isReplacedKnown: stands === "runs" });
  const saved = await saveFollowers(service, name, stands, task);
  const prepared =
    stands === "runs"
      ? await prepareToReplace(service, present, request, task)
      : prepareUnseen(files, name, task);
  const { safetyBackup, refusedSince } = prepared;
  const { backup, archiveUrl: archive, counts } = extracted;
  const restoring: Restoring = {
    ...{ from, backup, archive, since },
    ...(counts === undefined ? {} : { counts }),
    ...(safetyBackup === undefined ? {} : { safetyBackup: safetyBackup.slot }),
  };
  // In one turn: a placing in between would give users their rights back, and what they write would be lost.
  const record = await supervisor.undisturbed(name, async () => {
    await prepared.requireUnchanged();
    task.signal.throwIfAborted();
    return changeRecord(layout, name, (found) => ({ ...found, restoring }));
  });
  if (record === undefined) throw noSuchAddon(name, identity);
  log(`${name}: its data are to be replaced by those of backup ${backup}`);
  return { record, safetyBackup, refusedSince, warnings: [...extracted.warnings, ...saved] };
}
