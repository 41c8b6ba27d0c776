import { numberIn, type Info } from "../info";
import { observationFrom } from "../observe";
import { refusal, type Finding } from "./finding";

/** Whether the two are one server, or would follow each other. */
export function identity(follower: Info, leader: Info): Finding | undefined {
  if (leader.get("run_id") === follower.get("run_id"))
    return refusal("leader-is-itself", "leader and follower are the same server", "Give another leader");
  if (!isLoop(follower, leader)) return undefined;
  return refusal(
    "replication-loop",
    "the leader itself follows this server, directly or through others",
    "Give a leader that follows nobody",
  );
}

/**
 * A replication id is one history: a leader that follows somebody and shares the id of a server that follows nobody
 * has its data from there, through however many others. Between two followers the id proves nothing, as both may
 * follow a third; then one must be in the other's own list, or follow one that is.
 */
function isLoop(follower: Info, leader: Info): boolean {
  if (leader.get("role") !== "slave") return false;
  if (follower.get("role") !== "slave") return leader.get("master_replid") === follower.get("master_replid");
  const listed = observationFrom(follower).followers;
  const [host, port] = [leader.get("master_host"), numberIn(leader, "master_port")];
  if (listed.some((each) => each.host === host && each.port === port)) return true;
  const isListed = listed.some((each) => each.port === numberIn(leader, "tcp_port"));
  return isListed && port === numberIn(follower, "tcp_port");
}
