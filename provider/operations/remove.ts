import type { Task } from "../core/task";
import type { Platform, Removal, RemovalRequest } from "../platforms/contract";

/** Takes a final backup, then removes server and data; backups stay. Absent is success. */
export async function remove(platform: Platform, request: RemovalRequest, task: Task): Promise<Removal> {
  return platform.remove(request, task);
}
