import { DEFAULT_BACKUPS, type AddonRecord, type BackupsWish } from "./facets";
import type { Schedule } from "./schedule";

/** When an add-on is backed up, and since when (ISO 8601): slots from before that are never due. */
export interface ScheduleInForce {
  readonly schedule: Schedule;
  readonly since: string;
}

/**
 * The schedule of an add-on at an instant, in milliseconds since the Unix epoch. Records of earlier versions don't say
 * when it was changed, but when its policy was first recorded. An instant after `now` was noted by a clock that was
 * ahead, and counts for nothing: nothing would be due until then.
 */
export function scheduleInForce(
  { scheduledSince, backups, createdAt }: AddonRecord,
  now: number,
): ScheduleInForce {
  const schedule = (backups?.wish ?? DEFAULT_BACKUPS).schedule;
  const past = [scheduledSince, backups?.since].find(
    (instant) => instant !== undefined && Date.parse(instant) <= now,
  );
  return { schedule, since: past ?? createdAt };
}

/**
 * What a record shall say of its schedule once its policy is `wish`; absent: the default. A policy that is made or goes
 * begins anew, also with the same schedule: what was missed under another one is no longer owed.
 */
export function scheduledFrom(
  { scheduledSince, backups }: AddonRecord,
  wish: BackupsWish | undefined,
  now: number,
): Pick<AddonRecord, "scheduledSince"> {
  const [before, after] = [backups?.wish, wish].map((some) => some && spelling(some.schedule));
  if (before !== after) return { scheduledSince: new Date(now).toISOString() };
  return scheduledSince === undefined ? {} : { scheduledSince };
}

function spelling(schedule: Schedule): string {
  if ("every" in schedule) return schedule.every;
  return `${"daily" in schedule ? schedule.daily : schedule.cron} ${schedule.timezone ?? "UTC"}`;
}
