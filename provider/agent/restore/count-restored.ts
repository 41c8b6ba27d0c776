import { Failure } from "../../core/errors";
import type { AddonRecord } from "../../core/facets";
import type { Restoring } from "../../core/restore";
import type { Task } from "../../core/task";
import { numberIn, totalKeys, type Info } from "../../redis/info";
import { waitDurable } from "../../redis/promote";
import { waitLoaded } from "../../redis/wait-loaded";
import { connectServer } from "../connections/connect-server";

const DURABLE_DEADLINE_MS = 20 * 60_000;

/**
 * Waits until the add-on's server has loaded what was restored and has it on its disk, and returns how many keys it
 * found. Fails (`not-restored`) where that isn't all of the backup, or more than the server may hold.
 */
export async function countRestored(record: AddonRecord, restoring: Restoring, task: Task): Promise<number> {
  await using server = await connectServer(record, task);
  await waitLoaded(server, task);
  const info = await server.info();
  const problem = countProblem(info, restoring.counts) ?? memoryProblem(info);
  if (problem !== undefined)
    throw new Failure({
      code: "not-restored",
      operation: "restore",
      subject: record.name,
      cause: problem,
      hint: "",
    });
  await waitDurable(server, task, {
    ...{ name: record.name, operation: "restore", deadlineMs: DURABLE_DEADLINE_MS },
  });
  return totalKeys(info);
}

/** What has expired since the backup was taken, and what the eviction policy takes, is no loss. */
function countProblem(info: Info, counts: Restoring["counts"]): string | undefined {
  if (counts === undefined) return undefined;
  const found = totalKeys(info);
  const least = counts.keys - counts.expires - (numberIn(info, "evicted_keys") ?? 0);
  if (found >= least && found <= counts.keys) return undefined;
  const expiring = counts.expires === 0 ? "" : `, of which ${counts.expires} expire`;
  return `its server found ${found} keys in the backup, which holds ${counts.keys}${expiring}`;
}

/** A server loads more than it may hold, and refuses every write afterwards. */
function memoryProblem(info: Info): string | undefined {
  if (info.get("maxmemory_policy") !== "noeviction") return undefined;
  const [used = 0, most = 0] = [numberIn(info, "used_memory"), numberIn(info, "maxmemory")];
  const uncounted = numberIn(info, "mem_not_counted_for_evict") ?? 0;
  if (most === 0 || used - uncounted <= most) return undefined;
  return `the backup's data take ${used - uncounted} bytes of memory, and its plan allows ${most}`;
}
