import { followed } from "../../core/followed";
import { NOBODY } from "../../core/render";
import type { Clock, Task } from "../../core/task";
import type { HomeLayout } from "../../platforms/local/home";
import { leaderKey } from "../../platforms/local/sync-note";
import { readRecord } from "../../platforms/local/records";
import { totalKeys } from "../../redis/info";
import { lastLoadFailed } from "../../redis/last-load";
import { log } from "../log";
import type { SeenFollower } from "./follower-watch";
import { haltReplication } from "./halt";
import { fatalLoadIn, loadFailureIn, logEnd } from "./load-failure";

/** How often a server may end while it is loading, without a word why, before it is kept from trying again. */
const SILENT_ENDS = 3;

/** By add-on, how often its server has ended so since it was last in sync. One agent is one process. */
const silentEnds = new Map<string, { readonly leader: string | undefined; readonly times: number }>();

/** Stops a follower whose leader's snapshot can't be loaded from trying on. True: it is placed anew. */
export async function stopFailingLoads(seen: SeenFollower, task: Pick<Task, "clock">): Promise<boolean> {
  const { layout, record, client, info, touch } = seen;
  if (info.get("master_link_status") === "up") silentEnds.delete(record.name);
  if (record.replication?.halted !== undefined || !(await loadFailed(seen))) return false;
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
  if (record.replication?.halted !== undefined) return false;
  const failure = fatalLoadIn(await logEnd(layout.addon(name).log));
  if (failure === undefined) return false;
  const leader = leaderKey(record);
  const known = silentEnds.get(name);
  const times = known !== undefined && known.leader === leader ? known.times + 1 : 1;
  silentEnds.set(name, { leader, times });
  if (failure.why === undefined && times < SILENT_ENDS) {
    log(`${name}: its server ended while it was loading its leader's snapshot; it tries again`);
    return false;
  }
  silentEnds.delete(name);
  const why =
    failure.why ??
    `its server ended ${SILENT_ENDS} times while loading it, most often for lack of memory on this machine`;
  const hasData = record.server.wish.persistence !== "none";
  return haltReplication(layout, record, { why, hasData }, clock);
}
