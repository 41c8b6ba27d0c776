import { Command } from "commander";
import { listBackups, type CatalogEntry } from "../../operations/list-backups";
import { listCatalogs, type CatalogSummary } from "../../operations/backup-catalog";
import { noSuchCatalog } from "../../operations/backup-place";
import { placeFor, storeOption, type StoreOption } from "../backup-options";
import { memoryText } from "../../core/memory-size";
import { contextOf } from "../context";
import { wrongUsage } from "../exit-codes";
import { printJson, printLine, printTable } from "../print";
import { warn } from "../terminal";
import { verifiedCell } from "../words";

const HELP = `
Examples:
  redis-addon backup list cache
  redis-addon backup list --store file:///var/backups/redis                   # which catalogs there are
  redis-addon backup list db.example-6379 --store file:///var/backups/redis`;

type ListOptions = StoreOption & { readonly json?: boolean };

export function listCommand(): Command {
  return storeOption(new Command("list"))
    .description("all backups of an add-on or a catalog, oldest first; with --store alone all catalogs there")
    .argument("[name]", "the add-on's; with --store the catalog's")
    .option("--json", "an array, one object for each backup or catalog")
    .addHelpText("after", HELP)
    .action(async (name: string | undefined, options: ListOptions, command: Command) => {
      const context = await contextOf(command);
      if (name === undefined) {
        if (options.store === undefined)
          throw wrongUsage("the arguments", "neither an add-on nor a --store is named");
        return printCatalogs(await listCatalogs(options.store, context.task), options);
      }
      const place = await placeFor(context, name, options);
      const { backups, unreadable } = await listBackups(place, context.task);
      for (const { message } of unreadable) warn(message);
      if (options.store !== undefined && backups.length + unreadable.length === 0) throw noSuchCatalog(place);
      if (options.json === true) return printJson(backups);
      if (backups.length === 0) return printLine(`${name} has no backups yet.`);
      printTable(
        ["SLOT", "TAKEN", "SIZE", "KEYS", "WHY", "VERIFIED", "PINNED", "ARCHIVE"],
        backups.map(rowOf),
        // `backup show` has both, and the slot tells the moment as well.
        ["ARCHIVE", "TAKEN"],
      );
    });
}

function rowOf(backup: CatalogEntry): string[] {
  return [
    backup.slot,
    backup.takenAt,
    memoryText(backup.sizeBytes),
    backup.keys === undefined ? "-" : String(backup.keys),
    backup.reason,
    verifiedCell(backup),
    backup.pinned ? "yes" : "-",
    backup.archive,
  ];
}

function printCatalogs(catalogs: readonly CatalogSummary[], { store, json }: ListOptions): void {
  if (json === true) return printJson(catalogs);
  if (catalogs.length === 0) return printLine(`There are no backups in ${store}.`);
  printTable(
    ["CATALOG", "BACKUPS", "NEWEST"],
    catalogs.map(({ name, backups, newest }) => [name, String(backups), newest ?? "-"]),
  );
}
