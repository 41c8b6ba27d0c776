import { isSet, numberIn, type Info } from "../info";

/** Where a server that is told to follow asks to go on: what it sends with PSYNC. */
interface Place {
  readonly replicationId: string;
  /** Of the first byte that it lacks. */
  readonly offset: number;
}

/**
 * Whether all that one server holds is a part of another one's history which that one can continue from there: then
 * following it is a partial resync, and nothing is replaced. Redis decides it so (masterTryPartialResync): the id must
 * be the leader's present one, or its previous one up to where that ended; and the first byte that is asked for must
 * stand in its backlog, or be the next one to come.
 */
export function sharesHistory(follower: Info, leader: Info): boolean {
  const place = placeOf(follower);
  return place !== undefined && isOfHistory(place, leader) && isInBacklog(place, leader);
}

/** Absent: it has nothing to go on from, and would ask for everything. */
function placeOf(info: Info): Place | undefined {
  const replicationId = info.get("master_replid");
  // While it loads, what it will have is not what it tells.
  if (replicationId === undefined || isSet(info, "loading")) return undefined;
  if (info.get("role") !== "slave") {
    // A leader that begins to follow offers its own history.
    const end = numberIn(info, "master_repl_offset");
    return end === undefined ? undefined : { replicationId, offset: end + 1 };
  }
  const applied = numberIn(info, "slave_repl_offset");
  if (applied === undefined || isSet(info, "master_sync_in_progress")) return undefined;
  // 1 is also what it tells once its place was dropped, for the full sync that it is waiting for.
  if (info.get("master_link_status") !== "up" && applied <= 1) return undefined;
  return { replicationId, offset: applied + 1 };
}

function isOfHistory({ replicationId, offset }: Place, leader: Info): boolean {
  if (replicationId === leader.get("master_replid")) return true;
  const end = numberIn(leader, "second_repl_offset") ?? -1;
  return replicationId === leader.get("master_replid2") && offset <= end;
}

function isInBacklog({ offset }: Place, leader: Info): boolean {
  const first = numberIn(leader, "repl_backlog_first_byte_offset");
  const length = numberIn(leader, "repl_backlog_histlen");
  if (!isSet(leader, "repl_backlog_active") || first === undefined || length === undefined) return false;
  return first <= offset && offset <= first + length;
}
