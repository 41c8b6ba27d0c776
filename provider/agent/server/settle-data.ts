import type { AddonRecord } from "../../core/facets";
import type { Task } from "../../core/task";
import type { AddonLayout } from "../../platforms/local/home";
import type { RedisClient } from "../../redis/client";
import { waitDurable } from "../../redis/promote";
import { markMemory } from "../replication/lineage/mark-data";
import { readDataNote, removeAof, removeDataNote, removeDump, writeDataNote } from "./data-files";

/** A first AOF of a large add-on takes its time; a task's signal ends it earlier. */
const DURABLE_DEADLINE_MS = 20 * 60_000;

/**
 * Notes where the data lie from now on and removes the files where they no longer do, which would come back to life at
 * a start weeks later. Call it once the server is as recorded; it may be repeated after a crash at any point.
 */
export async function settleData(
  server: RedisClient,
  files: AddonLayout,
  record: AddonRecord,
  task: Task,
): Promise<void> {
  const { persistence, bind, port } = record.server.wish;
  if (persistence !== "none") {
    if ((await readDataNote(files)) === undefined) return;
    await waitDurable(server, task, {
      name: record.name,
      operation: "change the persistence of",
      deadlineMs: DURABLE_DEADLINE_MS,
    });
    await removeDataNote(files);
    await removeDump(files);
    return;
  }
  // Asked, not believed: what is removed now is the only copy of what such a server does not hold.
  if ((await server.config("appendonly")).get("appendonly") !== "no") return;
  await writeDataNote(files, { lies: "memory", bind, port });
  await removeAof(files);
  await removeDump(files);
  await markMemory(files, task.clock);
}
