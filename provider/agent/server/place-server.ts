import { asFailure, Failure } from "../../core/errors";
import type { AddonRecord } from "../../core/facets";
import type { LeaderAddress } from "../../core/render";
import type { Restoring } from "../../core/restore";
import type { Task } from "../../core/task";
import type { ProcessIdentity } from "../../system/processes";
import { log } from "../log";
import { changeUndone, undoChange } from "../records/undo-change";
import { haltAfterFatalLoad } from "../replication/watch/failed-loads";
import { clearLeftovers } from "../restore/leftovers";
import { settleRestore, undoneInVain } from "../restore/settle-restore";
import type { BackOff } from "./back-off";
import type { OwnServer, Placed } from "./own-server";

/** A record with whom it follows, read at one moment. */
export interface Placeable {
  readonly record: AddonRecord;
  readonly leader: LeaderAddress | undefined;
  /** Called once a server runs as they say: it has no use any more for what only an earlier one needed. */
  readonly onPlaced: () => Promise<void>;
}

export interface Placing {
  readonly server: OwnServer;
  readonly backOff: BackOff;
  readonly load: () => Promise<Placeable | undefined>;
  /** A process that is to be ended, although it may be as recorded. */
  readonly outgoing?: ProcessIdentity | undefined;
  /** The same from its beginning, by what is recorded by then. */
  readonly again: () => Promise<Placed>;
}

/**
 * Makes the server run and be as recorded. A change that no server can run with is undone, a restore that was begun comes
 * to its end, and of a server that its leader's snapshot has ended it is recorded first that it follows nobody. Absent:
 * nothing is recorded any more.
 */
export async function placeServer(placing: Placing, task: Task): Promise<Placed | undefined> {
  const { server, load, again } = placing;
  const { layout, name } = server;
  // Read only now: while this placing waited for its turn, a call may have recorded something newer.
  const current = await load().catch(async (error: unknown) => {
    if (error instanceof Failure) await failed(placing, error, task);
    throw error;
  });
  if (current === undefined) return undefined;
  const { record, leader, onPlaced } = current;
  if (record.restoring !== undefined) return placeRestored(placing, current, record.restoring, task);
  await clearLeftovers(layout, record);
  try {
    const placed = await bringUp(placing, record, leader, task);
    await onPlaced();
    return placed;
  } catch (error) {
    if (!task.signal.aborted && (await haltsNow(server))) return again();
    const failure = asFailure(error, "start the server of", name);
    const undone = task.signal.aborted ? undefined : await undoChange(layout, record, failure);
    if (undone === undefined) {
      await failed(placing, failure, task);
      throw error;
    }
    log(`${name}: ${failure.message}: going back to what it ran as before`);
    try {
      await bringUp(placing, undone.record, leader, task);
    } catch (cause) {
      const second = asFailure(cause, "start the server of", name);
      await failed(placing, second, task);
      throw changeUndone(undone, failure, second);
    }
    throw changeUndone(undone, failure);
  }
}

/** Whether its leader's snapshot has ended its server: then its record says from now on that it follows nobody. */
export async function haltsNow(server: OwnServer): Promise<boolean> {
  const { layout, name, clock } = server;
  return (await server.found()) === undefined && haltAfterFatalLoad(layout, name, clock);
}

/** The restore that was begun comes to its end; the server is then placed by the record that this leaves. */
async function placeRestored(
  placing: Placing,
  { record, leader }: Placeable,
  restoring: Restoring,
  task: Task,
): Promise<Placed> {
  const { server, again } = placing;
  const { layout, name } = server;
  const undone = await settleRestore(
    {
      layout,
      name,
      endServer: () => server.end(record, task),
      bringUp: (as) => bringUp(placing, as, leader, task),
    },
    record,
    restoring,
    task,
  ).catch(async (error: unknown) => {
    await failed(placing, asFailure(error, "restore", name), task);
    throw error;
  });
  if (undone === undefined) return again();
  await again().catch((error: unknown) => {
    throw undoneInVain(undone, error);
  });
  throw undone;
}

async function bringUp(
  { server, backOff, outgoing }: Placing,
  record: AddonRecord,
  leader: LeaderAddress | undefined,
  task: Task,
): Promise<Placed> {
  const placed = await server.bringUp(record, leader, task, outgoing);
  backOff.succeeded();
  return placed;
}

async function failed({ server, backOff }: Placing, failure: Failure, task: Task): Promise<void> {
  // The caller went away: nothing is wrong with the server, and the next look completes what was begun.
  if (task.signal.aborted) return;
  backOff.failed(failure, server.clock.now());
  await server.noteTrouble(failure.cause);
}
