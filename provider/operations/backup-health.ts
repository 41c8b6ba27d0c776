import type { BackupHealth } from "../core/backup-health";
import type { Clock } from "../core/task";
import type { Platform } from "../platforms/contract";
import { systemClock } from "../system/clock";
import { backupsOf } from "./inspect/backups";

/** Whether an add-on's backups can be relied on now, by what its platform has noted; absent: there is no such add-on. */
export async function backupHealthOf(
  platform: Platform,
  name: string,
  clock: Clock = systemClock,
): Promise<BackupHealth | undefined> {
  const placement = await platform.placement(name);
  const task = { signal: new AbortController().signal, clock, progress: () => undefined };
  return placement && backupsOf(placement, task).health;
}
