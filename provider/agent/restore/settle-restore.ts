import { isDeepStrictEqual } from "node:util";
import { asFailure, Failure } from "../../core/errors";
import type { AddonRecord } from "../../core/facets";
import type { Restoring } from "../../core/restore";
import type { Task } from "../../core/task";
import { log } from "../log";
import { changeRecord } from "../records/change-record";
import { changeDataMark } from "../replication/lineage/data-mark";
import { countRestored } from "./count-restored";
import { putBack, putInPlace, type Exchange } from "./exchange";
import { readRestoreNote, writeRestoreNote } from "./restore-note";

/** What is done to the add-on's server on the way. */
export interface RestoredServer extends Exchange {
  /** Launches it or adopts the one that runs, waits until its data are loaded, and makes it as this record says. */
  readonly bringUp: (record: AddonRecord) => Promise<unknown>;
}

/**
 * What says that a server can't run on the backup's data, or that the one before can't be replaced. Anything else may
 * pass, and the restore is completed then.
 */
const UNDONE_FOR: ReadonlySet<string> = new Set([
  "server-failed",
  "data-gone",
  "setting-refused",
  "open-files",
  "not-restored",
  "save-failed",
  "server-not-stopped",
]);

/**
 * Completes a restore that was begun, or undoes it: afterwards the record holds no restore that is under way, and the
 * add-on has one of the two data sets, whole. The server is to be placed anew then, by the record as it is now. Returns
 * why it was undone; absent: it was completed. May be repeated after a crash at any point, and fails, undecided, where
 * what keeps it from going on may pass.
 */
export async function settleRestore(
  server: RestoredServer,
  record: AddonRecord,
  restoring: Restoring,
  task: Task,
): Promise<Failure | undefined> {
  const { layout, name } = server;
  const files = layout.addon(name);
  const note = await readRestoreNote(files);
  const isOfThis = note?.since === restoring.since;
  let why = isOfThis ? note.undoing : undefined;
  if (why === undefined) {
    try {
      await complete(server, record, restoring, task);
      return undefined;
    } catch (error) {
      task.signal.throwIfAborted();
      if (!(error instanceof Failure) || !UNDONE_FOR.has(error.code)) throw error;
      why = error.cause;
    }
    log(`${name}: backup ${restoring.backup} can't be restored: ${why}; its data from before come back`);
    const { since, from, safetyBackup } = restoring;
    // Nobody wrote down that the replaced data are known: then they are not.
    const isReplacedKnown = isOfThis && note.isReplacedKnown;
    const saved = safetyBackup === undefined ? {} : { safetyBackup };
    await writeRestoreNote(files, { since, from, isReplacedKnown, undoing: why, ...saved });
  }
  task.progress({ message: "putting the data from before back" });
  await putBack(server);
  await changeRecord(layout, name, (present) => settled(present, restoring));
  log(`${name}: its data from before are back`);
  return restoreUndone(name, why, restoring.safetyBackup);
}

async function complete(
  server: RestoredServer,
  record: AddonRecord,
  restoring: Restoring,
  task: Task,
): Promise<void> {
  const { layout, name } = server;
  task.progress({ message: `putting the data of backup ${restoring.backup} in place` });
  if ((await putInPlace(server)) === "lost") throw stagedLost(name);
  // Its AOF stays until all of it was counted: without one a server's end would take the restored data with it.
  await server.bringUp(withAof(record));
  task.progress({ message: "counting what was restored" });
  const keys = await countRestored(record, restoring, task);
  // What is known of the data from before says nothing of these: whoever follows takes them.
  await changeDataMark(layout.addon(name), (mark) => mark && { unchecked: true });
  const at = new Date(task.clock.now()).toISOString();
  const { from, backup, archive, safetyBackup } = restoring;
  const kept = safetyBackup === undefined ? {} : { safetyBackup };
  await changeRecord(layout, name, (present) => {
    const next = settled(present, restoring);
    return next === present ? present : { ...next, restored: { from, backup, archive, ...kept, at, keys } };
  });
  log(`${name}: restored from backup ${backup}: ${keys} keys`);
}

/** The record without this restore; one that it doesn't name stays. */
function settled(present: AddonRecord, restoring: Restoring): AddonRecord {
  if (!isDeepStrictEqual(present.restoring, restoring)) return present;
  const { restoring: _, ...kept } = present;
  return kept;
}

function withAof(record: AddonRecord): AddonRecord {
  const { wish } = record.server;
  if (wish.persistence !== "none") return record;
  return { ...record, server: { ...record.server, wish: { ...wish, persistence: "everysec" } } };
}

function stagedLost(name: string): Failure {
  return new Failure({
    code: "not-restored",
    operation: "restore",
    subject: name,
    cause: "the data that were fetched for it are gone",
    hint: "",
  });
}

export function restoreUndone(name: string, why: string, safetyBackup: string | undefined): Failure {
  // Whoever tries `latest` again would have what is there put in its own place, and be told that it is restored.
  const taken =
    safetyBackup === undefined
      ? ""
      : `; they are also in the backup ${safetyBackup}, which \`latest\` of ${name} means from now on`;
  const hint = `Its data from before are back${taken}`;
  return new Failure({ code: "restore-undone", operation: "restore", subject: name, cause: why, hint });
}

/** `error`: why its server doesn't run on the data from before either. */
export function undoneInVain(undone: Failure, error: unknown): Failure {
  const { cause } = asFailure(error, "start the server of", undone.subject);
  return new Failure({
    ...undone.report(),
    hint: `${undone.hint}, but its server does not run with them: ${cause}`,
  });
}
