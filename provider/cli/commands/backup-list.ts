import { Command } from "commander";
import type { Failure } from "../../core/errors";
import { listBackups, type CatalogEntry } from "../../operations/list-backups";
import { listCatalogs, type CatalogSummary } from "../../operations/backup-catalog";
import { noSuchCatalog } from "../../operations/backup-place";
import { planPruning, pruningOf } from "../../operations/prune-backups";
import { placeFor, storeOption, type StoreOption } from "../backup-options";
import { memoryText } from "../../core/memory-size";
import { contextOf, type CommandContext } from "../context";
import { wrongUsage } from "../exit-codes";
import { printJson, printLine, printTable } from "../print";
import { warn } from "../terminal";
import { verifiedCell } from "../../operations/words/addon-words";
import { reasonWords } from "../../operations/words/backup-words";

const HELP = `
Examples:
  redis-addon backup list cache
  redis-addon backup list cache --why                                         # what keeps each, by its policy
  redis-addon backup list --store file:///var/backups/redis                   # which catalogs there are
  redis-addon backup list db.example-6379 --store file:///var/backups/redis`;

type ListOptions = StoreOption & { readonly json?: boolean; readonly why?: boolean };

/** What a pruning at this moment would do with a backup, and why. */
interface Fate {
  readonly stays: boolean;
  readonly reasons: readonly string[];
}

export function listCommand(): Command {
  return storeOption(new Command("list"))
    .description("all backups of an add-on or a catalog, oldest first; with --store alone all catalogs there")
    .argument("[name]", "the add-on's; with --store the catalog's")
    .option("--why", "of an add-on: why its policy keeps each, or that it goes")
    .option("--json", "an array, one object for each backup or catalog")
    .addHelpText("after", HELP)
    .action(async (name: string | undefined, options: ListOptions, command: Command) => {
      if (options.why === true && (name === undefined || options.store !== undefined)) throw noPolicy();
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
      const fates = options.why === true ? await fatesOf(context, name) : undefined;
      if (options.json === true)
        return printJson(
          fates === undefined ? backups : backups.map((one) => ({ ...one, ...fates.get(one.slot) })),
        );
      if (backups.length === 0) return printLine(`${name} has no backups yet.`);
      const told = fates === undefined ? [] : ["KEPT"];
      printTable(
        ["SLOT", "TAKEN", "SIZE", "KEYS", "REASON", "VERIFIED", "PINNED", ...told, "ARCHIVE"],
        backups.map((backup) => rowOf(backup, fates)),
        // `backup show` has both, and the slot tells the moment as well.
        ["ARCHIVE", "TAKEN"],
      );
    });
}

async function fatesOf({ platform, task }: CommandContext, name: string): Promise<ReadonlyMap<string, Fate>> {
  const { removals, kept } = await planPruning(
    await pruningOf({ kind: "addon", platform, name }, undefined),
    task,
  );
  return new Map<string, Fate>([
    ...removals.map(({ slot, reasons }) => [slot, { stays: false, reasons }] as const),
    ...kept.map(({ slot, reasons }) => [slot, { stays: true, reasons }] as const),
  ]);
}

function noPolicy(): Failure {
  return wrongUsage(
    "--why",
    "only an add-on has a policy",
    "By rules of your own: redis-addon backup prune <catalog> --days 7 --dry-run --list --store <URL>",
  );
}

function rowOf(backup: CatalogEntry, fates: ReadonlyMap<string, Fate> | undefined): string[] {
  return [
    backup.slot,
    backup.takenAt,
    memoryText(backup.sizeBytes),
    backup.keys === undefined ? "-" : String(backup.keys),
    reasonWords(backup),
    verifiedCell(backup),
    pinnedCell(backup),
    ...(fates === undefined ? [] : [fateCell(fates.get(backup.slot))]),
    backup.archive,
  ];
}

/** Both keep a backup whatever the policy says. */
function pinnedCell({ pinned, held }: CatalogEntry): string {
  const told = [...(pinned ? ["yes"] : []), ...(held === true ? ["being restored"] : [])];
  return told.join(", ") || "-";
}

function fateCell(fate: Fate | undefined): string {
  if (fate === undefined) return "-";
  const reasons = fate.reasons.join(", ");
  return fate.stays ? reasons : `goes: ${reasons}`;
}

function printCatalogs(catalogs: readonly CatalogSummary[], { store, json }: ListOptions): void {
  if (json === true) return printJson(catalogs);
  if (catalogs.length === 0) return printLine(`There are no backups in ${store}.`);
  printTable(
    ["CATALOG", "BACKUPS", "NEWEST"],
    catalogs.map(({ name, backups, newest }) => [name, String(backups), newest ?? "-"]),
  );
}
