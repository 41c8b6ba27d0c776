import { Command } from "commander";
import { pinBackup, unpinBackup } from "../../operations/backup-catalog";
import { catalogCommand, placeFor, type StoreOption } from "../backup-options";
import { contextOf } from "../context";
import { printJson, printLine } from "../print";

const HELP = `
Examples:
  redis-addon backup pin cache latest-verified --note "before the migration"
  redis-addon backup unpin cache 20260102T030000000Z`;

type PinOptions = StoreOption & { readonly json?: boolean; readonly note?: string };

export function pinCommand(): Command {
  return catalogCommand("pin", "keep a backup whatever the retention says, until it is unpinned")
    .argument("<backup>", "which one")
    .option("--note <text>", "why")
    .option("--json", "one object")
    .addHelpText("after", HELP)
    .action(async (name: string, which: string, options: PinOptions, command: Command) => {
      const context = await contextOf(command);
      const place = await placeFor(context, name, options);
      const slot = await pinBackup(place, which, options.note, context.task);
      if (options.json === true) return printJson({ slot, pinned: true });
      printLine(`${slot} of ${name} is pinned: it stays until it is unpinned.`);
    });
}

export function unpinCommand(): Command {
  return catalogCommand("unpin", "let the retention decide about a backup again")
    .argument("<backup>", "which one")
    .option("--json", "one object")
    .addHelpText("after", HELP)
    .action(async (name: string, which: string, options: PinOptions, command: Command) => {
      const context = await contextOf(command);
      const place = await placeFor(context, name, options);
      const slot = await unpinBackup(place, which, context.task);
      if (options.json === true) return printJson({ slot, pinned: false });
      printLine(`${slot} of ${name} is pinned no longer: the next backup's retention decides about it.`);
    });
}
