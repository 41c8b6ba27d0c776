import { backupAlert, backupNews, type BackupAlert } from "../../core/backup-alerts";
import { backupHealthOf } from "../../core/backup-health";
import type { Clock } from "../../core/task";
import { destinationIn, readIdentity, type HomeLayout } from "../../platforms/local/home";
import { recordedNames } from "../../platforms/local/records";
import { log } from "../log";
import { changingFiles } from "../records/changing-files";
import { AlertNotes, receiverOf, type AlertNote } from "./alert-notes";
import { deliveries } from "./deliver-alerts";
import { heldBack, type AttendedBackups } from "./held-back";

const LOOK_MS = 5_000;
const MOST_UNDELIVERED = 10;
const STALE_MS = 7 * 86_400_000;

export interface WatchedBackups extends AttendedBackups {
  readonly layout: HomeLayout;
  readonly clock: Clock;
  /** Ends the watch. */
  readonly signal: AbortSignal;
}

/**
 * Tells of backups that fail, are overdue or are well again: in the log, and to the webhook where there is one. Beside
 * the backups themselves, which it never delays.
 */
export async function watchBackups(watched: WatchedBackups): Promise<void> {
  const { layout, clock, signal } = watched;
  const notes = new AlertNotes(layout);
  const delivered = deliveries(notes, clock, signal);
  const isHeld = heldBack(watched);
  const troubles = new Map<string, string>();
  const home = await readIdentity(layout).catch(() => undefined);
  const files = changingFiles(layout);

  async function look(name: string): Promise<void> {
    const record = await files.record(name);
    if (record === undefined || record.removing !== undefined) return;
    const state = await files.backupState(name);
    const now = clock.now();
    const health = backupHealthOf(record, state, now);
    if (isHeld(record, state, health, now)) return;
    const webhook = record.backups?.wish.alerts?.webhook;
    const failure = state?.outcome === "failed" ? state.detail : undefined;
    await notes.change(record, (present) => {
      const note = addressed(present, webhook);
      const { event, told } = backupNews(note.told, { health, lastRunFailed: failure !== undefined }, now);
      if (event === undefined) return { ...note, told, undelivered: stillNews(note.undelivered, now) };
      const destination = destinationIn(layout, record.backups?.wish);
      const newestVerifiedAt = state?.newestVerifiedAt;
      const about = { record, host: home?.host ?? "", destination, newestVerifiedAt, health, failure };
      const alert = backupAlert(event, about, now);
      log(`${name}: ${event}${alert.why === undefined ? "" : `: ${alert.why}`}`);
      const undelivered = webhook === undefined ? [] : [...note.undelivered, alert];
      return { ...note, told, undelivered: stillNews(undelivered, now) };
    });
    if (webhook !== undefined) delivered.begin(record, webhook);
  }

  while (!signal.aborted) {
    // What keeps them from being read, whoever runs the backups says.
    for (const name of await recordedNames(layout).catch(() => []))
      await look(name).then(
        () => troubles.delete(name),
        (error: unknown) => {
          if (troubles.get(name) !== String(error)) log(`${name}: alerts: ${String(error)}`);
          troubles.set(name, String(error));
        },
      );
    await clock.sleep(LOOK_MS, signal).catch(() => undefined);
  }
  await delivered.settled();
}

/** Whoever hears of it for the first time hears everything that is still so. */
function addressed(note: AlertNote, webhook: string | undefined): AlertNote {
  const { receiver, ...rest } = note;
  if (webhook === undefined) return { ...rest, undelivered: [] };
  const present = receiverOf(webhook);
  return present === receiver ? note : { told: {}, receiver: present, undelivered: [] };
}

/** A receiver that is away for long gets the newest ones. */
function stillNews(alerts: readonly BackupAlert[], now: number): BackupAlert[] {
  return alerts.filter(({ at }) => now - Date.parse(at) < STALE_MS).slice(-MOST_UNDELIVERED);
}
