import { Failure } from "../core/errors";
import { userConnections } from "../core/excess-connections";
import type { AddonRecord } from "../core/facets";
import type { Usage } from "../core/resize";
import type { Task } from "../core/task";
import type { Platform } from "../platforms/contract";
import { parseClientList } from "../redis/excess-clients";
import { observeServer } from "../redis/observe";
import { connectAdmin } from "./connect-admin";

/** What an add-on's server holds at this moment; absent: it doesn't answer, or is still loading. Changes nothing. */
export async function usageOf(
  platform: Platform,
  record: AddonRecord,
  task: Pick<Task, "signal">,
): Promise<Usage | undefined> {
  try {
    await using client = await connectAdmin(platform, record, task);
    const { loading, usedMemoryBytes, keysByDatabase } = await observeServer(client);
    if (loading) return undefined;
    const listed = parseClientList(String(await client.command("CLIENT", "LIST")));
    return { usedMemoryBytes, keysByDatabase, connections: userConnections(listed).length };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    return undefined;
  }
}
