import { aclUsers, CAPTURE_USER } from "../../core/access";
import { Failure } from "../../core/errors";
import type { AddonRecord } from "../../core/facets";
import type { Task } from "../../core/task";
import { connectServer } from "../connections/connect-server";
import { heldConnections } from "../connections/held-connections";

/**
 * Makes sure that a backup is let in: an agent that has just taken over from an earlier version may not have come to this
 * server yet, which then knows nothing of the user that backups connect as.
 */
export async function ensureCaptureUser(
  record: AddonRecord,
  task: Pick<Task, "signal" | "clock">,
): Promise<void> {
  const rules = aclUsers(record).find(({ name }) => name === CAPTURE_USER)?.rules ?? [];
  try {
    // The record may be ahead of the server: what is held is open to the one that runs, and must stay so.
    const server = heldConnections().get(record.name)?.client ?? (await connectServer(record, task));
    await server.command("ACL", "SETUSER", CAPTURE_USER, "reset", ...rules);
  } catch (error) {
    // What keeps the agent out keeps the backup out as well, and that one says why.
    if (!(error instanceof Failure)) throw error;
  }
}
