import { Command } from "commander";
import { memoryText } from "../../core/memory-size";
import { backupStatusOf, type BackupStatus } from "../../operations/backup-status";
import { severalAtOnce } from "../../operations/several-at-once";
import { refuseUrl } from "../backup-options";
import {
  healthWords,
  lastRunCell,
  lastRunWords,
  newestVerifiedCell,
  newestVerifiedWords,
  nextRunWords,
  retentionWords,
  scheduleWords,
  storedWords,
} from "../../operations/words/backup-words";
import { homePath } from "../../operations/agent";
import { contextOf } from "../context";
import { EXIT, exitCodeOfBackups, type ExitCode } from "../exit-codes";
import { printFields, printJson, printLine, printTable } from "../print";
import { sharedWords } from "../../operations/words/shared-words";
import { warn } from "../terminal";
import { Failure } from "../../core/errors";

const HELP = `
Backups are fresh while the last one succeeded and the newest verified one is no older than the schedule's longest gap
and two hours. Otherwise the command ends with code 9, so that a monitor may ask. Servers are not asked, only stores, and
no store for longer than a few seconds.

Examples:
  redis-addon backup status && …                  # all add-ons
  redis-addon backup status cache queue --json    # an array, one object for each`;

export function statusCommand(): Command {
  return new Command("status")
    .description(
      "whether backups are fresh: when the next is due, how the last went, which is known to be good",
    )
    .argument("[add-on...]", "which ones (default: all)")
    .option("--json", "an array, one object for each add-on")
    .addHelpText("after", HELP)
    .action(async (given: string[], options: { readonly json?: boolean }, command: Command) => {
      given.forEach(refuseUrl);
      const context = await contextOf(command);
      const { platform, task } = context;
      const names = given.length > 0 ? [...new Set(given)] : await platform.names();
      let unknown = false;
      const looked = await severalAtOnce(names, (name) =>
        backupStatusOf(platform, name, task).catch((error: unknown) => {
          // One that can't be read hides none of the others.
          if (!(error instanceof Failure) || error.code !== "record-unreadable") throw error;
          unknown = true;
          warn(error.message);
          return undefined;
        }),
      );
      const all = looked.filter((status) => status !== undefined);
      process.exitCode = codeOf(all, unknown);
      if (options.json === true) return printJson(all);
      const [first, ...others] = all;
      if (first === undefined)
        return unknown
          ? undefined
          : printLine(`There are no add-ons in the data home ${homePath(context.home)}.`);
      const now = task.clock.now();
      if (given.length > 0 && others.length === 0) return printOne(first, now);
      printTable(
        HEADER,
        all.map((status) => rowOf(status, now)),
        EXPENDABLE,
      );
      for (const line of sharedWords(all.flatMap(problemsOf))) printLine(`! ${line}`);
    });
}

function codeOf(all: readonly BackupStatus[], unknown: boolean): ExitCode {
  const code = exitCodeOfBackups(all.map(({ health }) => health));
  return code === EXIT.done && unknown ? EXIT.failed : code;
}

const HEADER = [
  ...["NAME", "BACKUPS", "NEWEST VERIFIED", "LAST RUN", "NEXT RUN", "STORED", "SIZE"],
  ...["SCHEDULE", "KEPT", "DESTINATION"],
];
/** `backup status <add-on>` and `info` have them. */
const EXPENDABLE = ["DESTINATION", "KEPT", "LAST RUN", "SCHEDULE", "SIZE", "NEXT RUN"];

function rowOf(status: BackupStatus, now: number): string[] {
  const { addon, health, stored, schedule, retention, next, catalog } = status;
  const isCounted = !("unknown" in stored);
  return [
    addon,
    health.state,
    newestVerifiedCell(status, now),
    lastRunCell(status),
    next ?? "never",
    isCounted ? String(stored.backups) : "?",
    isCounted ? memoryText(stored.sizeBytes) : "?",
    scheduleWords(schedule),
    retentionWords(retention),
    catalog,
  ];
}

function printOne(status: BackupStatus, now: number): void {
  printFields(fieldsOf(status, now));
  for (const problem of besideHealth(status)) printLine(`! ${problem}`);
}

function fieldsOf(status: BackupStatus, now: number): [label: string, value: string][] {
  return [
    ["Name", status.addon],
    ["Backups", healthWords(status.health)],
    ["Schedule", scheduleWords(status.schedule)],
    ["Next run", nextRunWords(status)],
    ["Last run", lastRunWords(status)],
    ["Newest verified", newestVerifiedWords(status, now)],
    ["Stored", storedWords(status.stored)],
    ["Kept", retentionWords(status.retention)],
    ["Destination", status.catalog],
    ...(status.alertsTo === undefined ? [] : ([["Alerts", `to ${status.alertsTo}`]] as [string, string][])),
  ];
}

function problemsOf(status: BackupStatus): { addon: string; text: string }[] {
  const { addon, health, stored } = status;
  return [
    ...(health.why === undefined ? [] : [health.why]),
    ...("unknown" in stored ? [`how many there are is not known: ${stored.unknown}`] : []),
    ...besideHealth(status),
  ].map((text) => ({ addon, text }));
}

function besideHealth({ missing, unattended }: BackupStatus): string[] {
  return [
    ...(missing === undefined
      ? []
      : [`the verified one of ${missing} is not there: it was removed, or lies in an earlier destination`]),
    ...(unattended === undefined ? [] : [unattended]),
  ];
}
