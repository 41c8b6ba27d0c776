import { haltOf } from "../../core/followed";
import { NOBODY } from "../../core/render";
import type { SyncStatus } from "../../core/status";
import { authority } from "../../core/uri";
import type { Placement } from "../../platforms/contract";
import { numberIn, type Info } from "../../redis/info";
import type { Connected } from "./followers";
import type { AskedLeader, RecordedLeader } from "./leader";

interface Evidence extends AskedLeader {
  /** The follower, as its leader sees it. */
  readonly seen?: Connected | undefined;
  readonly differs?: boolean;
}

/** What counts more than what the server's own INFO makes of it. */
export function judged(
  { record, mistrusts }: Placement,
  leader: RecordedLeader,
  { why, seen, differs }: Evidence,
  sync: SyncStatus,
): SyncStatus {
  const halted = haltOf(record);
  if (halted !== undefined) return { state: "broken", why: halted.why };
  if (leader.kind === "gone") return { state: "broken", why: leader.why };
  // It goes on, link up and offsets equal: only who has watched the errors grow knows.
  if (sync.state === "synced" && differs === true)
    return { ...sync, state: "broken", why: "commands of the leader failed here, so the two differ" };
  if (sync.state !== "connecting") return sync;
  // Somebody has to look at the leader's data: waiting brings no link.
  const refusal = leader.kind === "addon" ? distrustOf(leader.placement) : mistrusts;
  if (refusal !== undefined) return { ...sync, state: "broken", why: refusal };
  // The leader answers a follower only once it begins its snapshot, for others that may ask meanwhile.
  if (seen?.state === "wait_bgsave") return { state: "waiting" };
  return why === undefined || sync.why !== undefined ? sync : { ...sync, why };
}

function distrustOf({ record, distrusted }: Placement): string | undefined {
  return distrusted === undefined ? undefined : `its leader ${record.name}: ${distrusted}`;
}

/** Where the server follows somebody else than recorded; absent: it doesn't, or nobody can tell. */
export function strayWords(leader: RecordedLeader, follower: Info): string | undefined {
  if (leader.kind === "gone" || follower.get("role") !== "slave") return undefined;
  const { host, port, tls } = leader.address;
  const [itsHost, itsPort] = [follower.get("master_host") ?? "", numberIn(follower, "master_port") ?? 0];
  // Then it is given an address of this machine, where somebody speaks TLS for it.
  if (tls !== undefined || (itsHost === host && itsPort === port)) return undefined;
  if (itsHost === NOBODY.host && itsPort === NOBODY.port) return undefined;
  return `its server follows ${authority(itsHost, itsPort)} instead of ${authority(host, port)}`;
}
