import { Failure } from "../../core/errors";
import type { AddonRecord } from "../../core/facets";
import { heldWords, holdsAnything, type HeldData } from "../../core/held-data";
import type { Task } from "../../core/task";
import type { BackupResult, RestoreRequest } from "../../platforms/contract";
import type { RedisClient } from "../../redis/client";
import { heldData, isSet } from "../../redis/info";
import { lastLoadFailed } from "../../redis/last-load";
import type { AddonLayout } from "../../platforms/local/home";
import { requirePlaceForBackups } from "../backups/require-place";
import { connectServer } from "../connections/connect-server";
import { log } from "../log";
import { findOwnProcess } from "../server/find-own-process";
import { refuseWrites } from "../replication/change/refuse-writes";
import { safetyBackup } from "../replication/change/safety-backup";
import type { AgentService } from "../service";
import { notInMemory, wouldReplace } from "./refusals";

/** Why no server runs that could tell what it holds: it has none, or can't load what it has. */
const DOWN: ReadonlySet<string> = new Set(["data-gone", "server-failed"]);

const POLL_MS = 100;

/**
 * Places the server, so that it can be looked at. `down`: it can't be, and with `replace` that is no reason not to
 * restore: it may be why. Whatever would keep the restored data from being served as well is thrown.
 */
export async function placeOrDown(
  { supervisor }: AgentService,
  { name, onData }: RestoreRequest,
  task: Task,
): Promise<"runs" | "down"> {
  try {
    await supervisor.place(name, task);
    return "runs";
  } catch (error) {
    if (onData !== "replace" || !(error instanceof Failure) || !DOWN.has(error.code)) throw error;
    log(`${name}: ${error.cause}: what lies there is replaced without being looked at`);
    return "down";
  }
}

/** Fails where data would be replaced that nobody gave up, before anything is fetched. */
export async function refuseToReplace(
  record: AddonRecord,
  { onData }: RestoreRequest,
  task: Task,
): Promise<void> {
  if (onData === "replace") return;
  await using server = await connectServer(record, task);
  const held = await heldBy(server, record.name);
  if (holdsAnything(held)) throw wouldReplace(record.name, held);
}

interface Prepared {
  readonly safetyBackup?: BackupResult;
  /** When users' writes were refused, in milliseconds since the Unix epoch. */
  readonly refusedSince: number;
  /** Fails where what is replaced may have changed since. From here on it doesn't, until the server is placed. */
  readonly requireUnchanged: () => Promise<void>;
}

/**
 * Takes users' writes away and backs up what they wrote: what was acknowledged before is in the backup, and nothing is
 * acknowledged afterwards. Placing the server by its record undoes this. Where the backup's place takes none, nobody's
 * write is refused for that.
 */
export async function prepareToReplace(
  service: AgentService,
  record: AddonRecord,
  { onData }: RestoreRequest,
  task: Task,
): Promise<Prepared> {
  const { name } = record;
  // Needed until the last look at it; it is the agent's own connection, which nobody closes here.
  const server = await connectServer(record, task);
  if (onData === "replace" && holdsAnything(await heldBy(server, name)))
    await requirePlaceForBackups(service.layout, record, task);
  const refusedSince = task.clock.now();
  const writes = await refuseWrites(server, "restore");
  const requireUnchanged = (): Promise<void> => writes.standStill();
  const held = await heldBy(server, name);
  if (!holdsAnything(held)) return { refusedSince, requireUnchanged };
  if (onData !== "replace") throw wouldReplace(name, held);
  log(`${name}: takes no writes while ${heldWords(held)} are backed up, to be replaced by a backup's`);
  const backup = await safetyBackup(service, { record, server, held }, task);
  // One that a schedule has begun since would be cut off, and tell of a failure that is none.
  while (service.backups.isRunning(name)) await task.clock.sleep(POLL_MS, task.signal);
  return { safetyBackup: backup, refusedSince, requireUnchanged };
}

/** Of an add-on whose server can't run: nobody writes to it, and nobody knows what it has. */
export function prepareUnseen(files: AddonLayout, name: string, task: Task): Prepared {
  return {
    refusedSince: task.clock.now(),
    requireUnchanged: async () => {
      if ((await findOwnProcess(files)) === undefined) return;
      throw new Failure({
        ...{ code: "written-meanwhile", operation: "restore", subject: name, transient: true },
        cause: "its server, which could not run before, runs now, and its users may have written",
        hint: "Run it again: nothing was replaced",
      });
    },
  };
}

async function heldBy(server: RedisClient, name: string): Promise<HeldData> {
  const info = await server.info();
  if (isSet(info, "loading") || (await lastLoadFailed(server, info))) throw notInMemory(name);
  return heldData(info);
}
