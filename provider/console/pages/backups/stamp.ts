import { createHash } from "node:crypto";
import type { AddonStatus } from "../../../core/status";
import { type Activity, isRunning } from "../../activities/activities";

/** What nothing here is told of, such as a backup that somebody has pinned from elsewhere, is seen after this long. */
const LONGEST_MS = 60_000;

/**
 * Stands for what a page of backups was made of: as long as it is the same, none of its store's answers has changed as
 * far as anybody here knows, and a page that stays open need not ask it again.
 */
export function stampOf(
  { backups: { lastRun, newestVerified, schedule, retention, catalog } }: AddonStatus,
  activities: readonly Activity[],
  now: number,
): string {
  const ended = activities.filter((each) => !isRunning(each)).map(({ id }) => id);
  const told = [lastRun, newestVerified, schedule, retention, catalog, ended, Math.floor(now / LONGEST_MS)];
  return createHash("sha256").update(JSON.stringify(told)).digest("base64url").slice(0, 16);
}
