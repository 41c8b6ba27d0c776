import { Command } from "commander";
import { backUp } from "../../operations/backups";
import { listBackups } from "../../operations/list-backups";
import { contextOf, requireAddon } from "../context";
import { bytes, printFields, printJson, printLine, printTable } from "../print";

export function backupCommand(): Command {
  return new Command("backup").description("take and list backups").addCommand(run()).addCommand(list());
}

function run(): Command {
  return new Command("run")
    .description("take a backup now, to the add-on's own destination")
    .argument("<add-on>", "its name")
    .option("--json", "one object")
    .action(async (name: string, options: { json?: boolean }, command: Command) => {
      const context = await contextOf(command);
      await requireAddon(context, name);
      const taken = await backUp(context.platform, name, context.task);
      if (options.json === true) return printJson(taken);
      printFields([
        ["Slot", taken.slot],
        ["Archive", taken.archive],
        ["Size", bytes(taken.sizeBytes)],
      ]);
      printLine(
        "\nOpen it: extract it into an empty folder, cd there, run redis-server (see README.txt in it).",
      );
    });
}

function list(): Command {
  return new Command("list")
    .description("all backups of an add-on, oldest first")
    .argument("<add-on>", "its name")
    .option("--json", "an array, one object for each backup")
    .action(async (name: string, options: { json?: boolean }, command: Command) => {
      const context = await contextOf(command);
      await requireAddon(context, name);
      const listing = await listBackups(context.platform, name, context.task);
      const { backups, unreadable } = listing ?? { backups: [], unreadable: [] };
      for (const problem of unreadable) process.stderr.write(`! ${problem}\n`);
      if (options.json === true) return printJson(backups);
      if (backups.length === 0) return printLine(`${name} has no backups yet.`);
      printTable(
        ["TAKEN", "SIZE", "KEYS", "WHY", "ARCHIVE"],
        backups.map((backup) => [
          backup.takenAt,
          bytes(backup.sizeBytes),
          backup.keys === undefined ? "-" : String(backup.keys),
          backup.reason,
          backup.archive,
        ]),
      );
    });
}
