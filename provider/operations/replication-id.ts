import type { AddonRecord } from "../core/facets";
import type { Task } from "../core/task";
import type { Platform } from "../platforms/contract";
import { observeServer } from "../redis/observe";
import { connectAdmin } from "./connect-admin";

/** The history that an add-on's server is in, Redis's `master_replid`; absent where it doesn't answer. */
export async function replicationId(
  platform: Platform,
  record: AddonRecord,
  task: Pick<Task, "signal">,
): Promise<string | undefined> {
  try {
    await using server = await connectAdmin(platform, record, task);
    return (await observeServer(server)).replicationId;
  } catch {
    return undefined;
  }
}
