import type { AddonRecord } from "../../core/facets";
import type { BackupJob } from "../../core/job";
import { dueSlot } from "../../core/schedule";
import { scheduleInForce } from "../../core/schedule-in-force";
import type { BackupState } from "../../platforms/local/process-state";

const FIRST_RETRY_MS = 60_000;
const LONGEST_RETRY_MS = 3_600_000;

type Scheduled = Extract<BackupJob["reason"], { kind: "scheduled" }>;

/**
 * The scheduled backup to start at this moment; absent: none. After a failure it is tried again after a pause that
 * doubles from a minute to an hour.
 *
 * What was noted lies in the past: an instant after `now` comes from a clock that was ahead, and none of them may stop
 * backups until then.
 */
export function dueNow(
  record: AddonRecord,
  state: BackupState | undefined,
  now: number,
): Scheduled | undefined {
  if (record.removing !== undefined || record.restoring !== undefined || isPausing(state, now))
    return undefined;
  const { schedule, since } = scheduleInForce(record, now);
  const slot = dueSlot(schedule, { since: Date.parse(since), last: state?.newestSlotAt, now });
  return slot === undefined ? undefined : { kind: "scheduled", schedule, since };
}

function isPausing(state: BackupState | undefined, now: number): boolean {
  if (state === undefined || state.failures === 0) return false;
  const failedAt = Date.parse(state.at);
  const pause = Math.min(LONGEST_RETRY_MS, FIRST_RETRY_MS * 2 ** (state.failures - 1));
  return failedAt <= now && now < failedAt + pause;
}
