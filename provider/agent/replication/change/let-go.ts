import { Failure } from "../../../core/errors";
import type { AddonRecord, ReplicationWish } from "../../../core/facets";
import { followed } from "../../../core/followed";
import { NOBODY } from "../../../core/render";
import type { Task } from "../../../core/task";
import { connectServer } from "../../connections/connect-server";

/**
 * Before it is recorded that an add-on leads: where it has no link to its leader, it gives up trying. Once nobody follows
 * a leader whose data were found to be older, or gone, it may be copied again, and a server that still tries would take
 * them for its own before it is told that it leads. Placing it by its record undoes this.
 */
export async function letGoOfLeader(
  existing: AddonRecord,
  wish: ReplicationWish | undefined,
  task: Task,
): Promise<void> {
  const leads = wish === undefined || wish.position === "promoted";
  if (!leads || followed(existing) === undefined) return;
  try {
    await using server = await connectServer(existing, task);
    const info = await server.info();
    if (info.get("role") === "slave" && info.get("master_link_status") !== "up")
      await server.command("REPLICAOF", NOBODY.host, NOBODY.port);
  } catch (error) {
    // One that doesn't run copies nothing, and is started as a leader.
    if (!(error instanceof Failure) || error.code !== "refused") throw error;
  }
}
