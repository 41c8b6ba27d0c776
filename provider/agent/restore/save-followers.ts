import { holdsAnything } from "../../core/held-data";
import type { Task } from "../../core/task";
import { readDataMark } from "../../platforms/local/data-mark";
import { readRecord } from "../../platforms/local/records";
import { heldData, isSet } from "../../redis/info";
import { lastLoadFailed } from "../../redis/last-load";
import { connectServer } from "../connections/connect-server";
import { knownFollowers } from "../replication/leader/followers";
import { refuseWrites } from "../replication/change/refuse-writes";
import { safetyBackup } from "../replication/change/safety-backup";
import type { AgentService } from "../service";
import { notInMemory } from "./refusals";

/**
 * Backs up what the followers of an add-on have that it doesn't have itself any more: its data are gone, can't be loaded
 * or are not those that it had. They take the restored data afterwards. Returns a sentence for each; nothing where the
 * add-on's own backup holds it all.
 */
export async function saveFollowers(
  service: AgentService,
  name: string,
  stands: "runs" | "down",
  task: Task,
): Promise<readonly string[]> {
  const { distrusted } = (await readDataMark(service.layout.addon(name))) ?? {};
  if (stands === "runs" && distrusted === undefined) return [];
  const saved: string[] = [];
  for (const follower of (await knownFollowers(service.layout, name)).followers) {
    const slot = await backedUp(service, follower, task);
    if (slot !== undefined)
      saved.push(
        `its follower ${follower} had data that ${name} did not; the backup ${slot} of ${follower} holds them`,
      );
  }
  return saved;
}

/** The slot; absent: it has nothing. It follows nobody afterwards until it is placed. */
async function backedUp(service: AgentService, name: string, task: Task): Promise<string | undefined> {
  // Only a server that runs can be backed up.
  await service.supervisor.place(name, task);
  const record = await readRecord(service.layout, name);
  if (record === undefined) return undefined;
  await using server = await connectServer(record, task);
  const writes = await refuseWrites(server, "restore");
  const info = await server.info();
  if (isSet(info, "loading") || (await lastLoadFailed(server, info))) throw notInMemory(name);
  const held = heldData(info);
  const backup = holdsAnything(held)
    ? await safetyBackup(service, { record, server, held }, task)
    : undefined;
  await writes.standStill();
  return backup?.slot;
}
