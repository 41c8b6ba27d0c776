import type { Schedule } from "../core/schedule";
import type { Retention } from "../core/retention";
import type { AddonStatus } from "../core/status";
import { syncWords } from "../redis/sync-status";

/** How a role reads in one cell: `leader`, `follower of cache: synced`. */
export function roleWords({ replication }: AddonStatus): string {
  if (replication.role === "leader") return "leader";
  const { addon, host, port } = replication.leader;
  return `follower of ${addon ?? `${host}:${port}`}: ${syncWords(replication.sync)}`;
}

export function scheduleWords(schedule: Schedule): string {
  if ("every" in schedule) return `every ${schedule.every}`;
  const zone = schedule.timezone ?? "UTC";
  return "daily" in schedule ? `daily at ${schedule.daily} (${zone})` : `cron ${schedule.cron} (${zone})`;
}

export function retentionWords({ days, keepLast }: Retention): string {
  const rules = [
    ...(days === undefined ? [] : [`${days} ${days === 1 ? "day" : "days"}`]),
    ...(keepLast === undefined ? [] : [`the last ${keepLast}`]),
  ];
  return `kept: ${rules.join(" or ")}`;
}
