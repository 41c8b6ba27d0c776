import { Failure } from "../../core/errors";
import type { AddonRecord } from "../../core/facets";
import type { Task } from "../../core/task";
import type { AddonLayout } from "../../platforms/local/home";
import { waitForEnd } from "../../system/processes";
import { connectServer } from "../connections/connect-server";
import { readDataNote, removeAof, removeDump, writeDataNote, type DataNote } from "./data-files";
import { endProcess, notStopped } from "./end-process";
import { UNKNOWN_PORT, type OwnProcess } from "./find-own-process";

/** Gigabytes of memory to a slow disk. */
const SAVE_DEADLINE_MS = 20 * 60_000;
const LOOK_EVERY_MS = 1_000;

/**
 * Ends a server so that the next one finds its data: what it keeps in an AOF is there, what it keeps in memory alone
 * it is asked to save first. One that can't save goes on running, and this fails (`save-failed`). Once begun it is ended,
 * whoever has gone meanwhile: an agent that is being stopped aborts every call, this one's too.
 */
export async function endServer(
  files: AddonLayout,
  running: OwnProcess,
  record: AddonRecord,
  caller: Task,
): Promise<void> {
  const task = { ...caller, signal: new AbortController().signal };
  const note = await readDataNote(files);
  const reachable = asItRuns(record, running, note);
  const startedAt = task.clock.now();
  let appendonly = await appendonlyOf(reachable, task);
  // One that doesn't answer may be starting, or saving already. A signal could end it, and with it the only copy of its
  // data.
  while (appendonly === undefined && note !== undefined) {
    if (await waitForEnd(running, LOOK_EVERY_MS, task.clock)) return;
    if (task.clock.now() - startedAt >= SAVE_DEADLINE_MS) throw notSaved(files, running, record.name);
    appendonly = await appendonlyOf(reachable, task);
  }
  if (appendonly !== "no") return endProcess(record.name, running, files.log, task.clock);
  await askToSave(files, reachable, note, task);
  await untilSaved(files, running, reachable, task);
}

/** The server saves and leaves by itself once it is asked, whatever becomes of this process. */
async function askToSave(
  files: AddonLayout,
  reachable: AddonRecord,
  note: DataNote | undefined,
  task: Task,
): Promise<void> {
  // What lies there was left by a sync, unless it was just loaded: then it counts until a newer one replaces it.
  if (note?.lies !== "saved") await removeDump(files);
  await writeDataNote(files, { lies: "saved" });
  await removeAof(files);
  task.progress({ message: "saving the data, which are in memory alone" });
  try {
    await using server = await connectServer(reachable, task);
    await server.command("SHUTDOWN", "SAVE");
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // A server that leaves closes the connection without an answer; one that takes long over it times out.
    if (error.code !== "redis-error") return;
    const { bind, port } = reachable.server.wish;
    await writeDataNote(files, note ?? { lies: "memory", bind, port });
    throw saveFailed(reachable.name, files.log);
  }
}

async function untilSaved(
  files: AddonLayout,
  running: OwnProcess,
  reachable: AddonRecord,
  task: Task,
): Promise<void> {
  const startedAt = task.clock.now();
  while (task.clock.now() - startedAt < SAVE_DEADLINE_MS) {
    if (await waitForEnd(running, LOOK_EVERY_MS, task.clock)) return;
    if (await isBack(reachable, task)) throw saveFailed(reachable.name, files.log);
  }
  throw notSaved(files, running, reachable.name);
}

function notSaved(files: AddonLayout, running: OwnProcess, name: string): Failure {
  const costs = "everything, as it keeps its data in memory alone";
  return notStopped(name, running, files.log, SAVE_DEADLINE_MS, costs);
}

/** A server answers nobody while it saves as it leaves, and before that it says that it is waiting for followers. */
async function isBack(reachable: AddonRecord, task: Task): Promise<boolean> {
  try {
    await using server = await connectServer(reachable, task);
    return !(await server.info()).has("shutdown_in_milliseconds");
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return false;
  }
}

/** Absent: it doesn't say. */
async function appendonlyOf(reachable: AddonRecord, task: Task): Promise<string | undefined> {
  try {
    await using server = await connectServer(reachable, task);
    return (await server.config("appendonly")).get("appendonly");
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return undefined;
  }
}

/** Where a server listens that was launched before the record changed. */
function asItRuns(record: AddonRecord, running: OwnProcess, note: DataNote | undefined): AddonRecord {
  const { wish } = record.server;
  const port = running.port === UNKNOWN_PORT ? wish.port : running.port;
  const at = note?.lies === "memory" ? { bind: note.bind, port: note.port } : { bind: wish.bind, port };
  return { ...record, server: { ...record.server, wish: { ...wish, ...at } } };
}

function saveFailed(name: string, logFile: string): Failure {
  return new Failure({
    code: "save-failed",
    operation: "stop the server of",
    subject: name,
    cause: "it keeps its data in memory alone and can't save them, so it was left running",
    hint: `Look for a full disk in ${logFile}`,
    transient: true,
  });
}
