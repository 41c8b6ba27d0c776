import { z } from "zod";
import type { BackupHealth } from "./backup-health";
import { catalogUrl } from "./catalog-url";
import type { AddonRecord } from "./facets";
import { ScheduleSchema } from "./schedule";
import { scheduleInForce } from "./schedule-in-force";

const DAY_MS = 86_400_000;

const BACKUP_EVENTS = ["backup-failed", "backups-overdue", "backups-recovered"] as const;
export type BackupEvent = (typeof BACKUP_EVENTS)[number];

/** What people were told of an add-on's backups, and was not taken back. */
export const ToldSchema = z.object({
  /** That a backup failed; until one succeeds no further failure is told. */
  failed: z.literal(true).exactOptional(),
  /** When they were last told that backups are overdue, in milliseconds since the Unix epoch. */
  overdueAt: z.number().exactOptional(),
});
export type Told = z.infer<typeof ToldSchema>;

/** How backups stand at this moment. */
export interface Standing {
  readonly health: BackupHealth;
  /** Whether the last run failed: overdue backups hide it. */
  readonly lastRunFailed: boolean;
}

/**
 * What to tell now, if anything, and what people know then: the first failure of a series; that backups are overdue,
 * once and again each day while they are; that all is well again.
 */
export function backupNews(
  told: Told,
  { health, lastRunFailed }: Standing,
  now: number,
): { readonly event?: BackupEvent; readonly told: Told } {
  if (health.state === "fresh") {
    const wasBad = told.failed === true || told.overdueAt !== undefined;
    return { ...(wasBad ? { event: "backups-recovered" } : {}), told: {} };
  }
  const failed = lastRunFailed ? { failed: true as const } : {};
  const isNewFailure = lastRunFailed && told.failed !== true;
  const failure = isNewFailure ? { event: "backup-failed" as const } : {};
  if (health.state === "failing") return { ...failure, told: failed };
  const { overdueAt } = told;
  // One from the future was noted by a clock that was ahead.
  const isKnown = overdueAt !== undefined && overdueAt <= now && now - overdueAt < DAY_MS;
  // Its why tells of the failure as well.
  if (!isKnown) return { event: "backups-overdue", told: { ...failed, overdueAt: now } };
  return { ...failure, told: { ...failed, overdueAt } };
}

/** What is posted to a webhook: the names that receivers rely on. It holds no secret. */
export const BackupAlertSchema = z.object({
  event: z.enum(BACKUP_EVENTS),
  /** The same for one event however often it is delivered. */
  id: z.string(),
  /** One sentence for people, under the name that chat services look for. */
  text: z.string(),
  addon: z.string(),
  project: z.string(),
  stack: z.string(),
  /** The machine whose data home it lives in. */
  host: z.string(),
  /** ISO 8601. */
  at: z.string(),
  /** A sentence; absent where all is well. */
  why: z.string().exactOptional(),
  schedule: ScheduleSchema,
  /** ISO 8601: the slot of the newest backup that is known to have been verified. */
  newestVerified: z.string().exactOptional(),
  /** URL of the add-on's backups. */
  catalog: z.string(),
});
export type BackupAlert = z.infer<typeof BackupAlertSchema>;

/** What an alert is about. */
export interface AlertSubject {
  readonly record: AddonRecord;
  readonly host: string;
  /** A store's URL. */
  readonly destination: string;
  /** In milliseconds since the Unix epoch. */
  readonly newestVerifiedAt: number | undefined;
  readonly health: BackupHealth;
  /** Of the last run, where that failed. */
  readonly failure: string | undefined;
}

/** Puts an event into words. */
export function backupAlert(event: BackupEvent, subject: AlertSubject, now: number): BackupAlert {
  const { record, host, newestVerifiedAt } = subject;
  const { project, stack } = record.owner;
  const at = new Date(now).toISOString();
  const newestVerified =
    newestVerifiedAt === undefined ? undefined : new Date(newestVerifiedAt).toISOString();
  const why = event === "backup-failed" ? (subject.failure ?? subject.health.why) : subject.health.why;
  return {
    event,
    id: `${record.catalogKey}/${event}/${at}`,
    text: `Redis add-on ${record.name} (${project}/${stack} on ${host}): ${sentence(event, why, newestVerified)}`,
    addon: record.name,
    ...{ project, stack, host, at },
    ...(why === undefined ? {} : { why }),
    schedule: scheduleInForce(record, now).schedule,
    ...(newestVerified === undefined ? {} : { newestVerified }),
    catalog: catalogUrl(subject.destination, record.catalogKey),
  };
}

function sentence(event: BackupEvent, why = "", newestVerified = "not known"): string {
  switch (event) {
    case "backup-failed":
      return `a backup failed: ${why}`;
    case "backups-overdue":
      return why;
    case "backups-recovered":
      return `its backups are as its schedule wants them again, newest verified backup: ${newestVerified}`;
  }
}
