import { followed, haltOf } from "../../../core/followed";
import { NOBODY } from "../../../core/render";
import type { Clock, Task } from "../../../core/task";
import type { HomeLayout } from "../../../platforms/local/home";
import { leaderKey } from "../../../platforms/local/sync-note";
import { readRecord } from "../../../platforms/local/records";
import { totalKeys } from "../../../redis/info";
import { lastLoadFailed } from "../../../redis/last-load";
import { log } from "../../log";
import type { SeenFollower } from "./follower-watch";
import { haltReplication } from "./halt";
import { fatalLoadIn, loadFailureIn, logEnd } from "./load-failure";

/** How often a server may end while it is loading, without a word why, before it is kept from trying again. */
const SILENT_ENDS = 3;

/** How servers ended that were loading their leader's snapshot. */
interface Ends {
  readonly leader: string | undefined;
  /** Of the last one: each counts once, however often the next server can't be started. */
  readonly began: string;
  /** How many in a row had no word why. */
  readonly silent: number;
}

/** By add-on, since it was last in sync. One agent is one process. */
const ends = new Map<string, Ends>();

/** Stops a follower whose leader's snapshot can't be loaded from trying on. True: it is placed anew. */
export async function stopFailingLoads(seen: SeenFollower, task: Pick<Task, "clock">): Promise<boolean> {
  const { layout, record, client, info, touch } = seen;
  if (info.get("master_link_status") === "up") ends.delete(record.name);
  if (haltOf(record) !== undefined || !(await loadFailed(seen))) return false;
  // Asked twice, as a setting may have been changed between the two questions of one look.
  if (!(await loadFailed({ ...seen, info: await client.info() }))) return false;
  const why = loadFailureIn(await logEnd(layout.addon(record.name).log))?.why;
  const hasData = record.server.wish.persistence !== "none" || totalKeys(info) > 0;
  if (!(await haltReplication(layout, record, { why, hasData }, task.clock))) return false;
  // It would try hundreds of times until it is placed.
  await client.command("REPLICAOF", NOBODY.host, NOBODY.port);
  touch();
  return true;
}

/** A server without an AOF doesn't show it by its settings: its log does. */
async function loadFailed({ layout, record, client, info }: SeenFollower): Promise<boolean> {
  if (info.get("role") !== "slave" || info.get("master_link_status") === "up") return false;
  if (record.server.wish.persistence !== "none") return lastLoadFailed(client, info);
  return loadFailureIn(await logEnd(layout.addon(record.name).log)) !== undefined;
}

/**
 * Call it before a server is started that should be running. Where the last one ended by its leader's snapshot, the next
 * one is not to follow: it would end the same way. True: that is recorded now.
 */
export async function haltAfterFatalLoad(layout: HomeLayout, name: string, clock: Clock): Promise<boolean> {
  const record = await readRecord(layout, name);
  if (record === undefined || followed(record) === undefined) return false;
  if (haltOf(record) !== undefined) return false;
  const failure = fatalLoadIn(await logEnd(layout.addon(name).log));
  if (failure === undefined) return false;
  const known = ends.get(name);
  if (known?.began === failure.began) return false;
  const leader = leaderKey(record);
  const silent = known !== undefined && known.leader === leader ? known.silent + 1 : 1;
  const isOver = failure.why !== undefined || silent >= SILENT_ENDS;
  ends.set(name, { leader, began: failure.began, silent: isOver ? 0 : silent });
  if (!isOver) {
    log(`${name}: its server ended while it was loading its leader's snapshot; it tries again`);
    return false;
  }
  const why =
    failure.why ??
    `its server ended ${SILENT_ENDS} times while loading it, most often for lack of memory on this machine`;
  const hasData = record.server.wish.persistence !== "none";
  return haltReplication(layout, record, { why, hasData }, clock);
}
