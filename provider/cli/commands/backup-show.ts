import { Command } from "commander";
import { showBackup } from "../../operations/backup-catalog";
import { catalogCommand, placeFor, type StoreOption } from "../backup-options";
import { contextOf } from "../context";
import { printFields, printJson } from "../print";
import { backupFields } from "../../operations/words/backup-fields";

const HELP = `
Examples:
  redis-addon backup show cache latest
  redis-addon backup show db.example-6379 20260102 --store s3://bucket/redis --json`;

export function showCommand(): Command {
  return catalogCommand("show", "everything that is known of one backup")
    .argument("<backup>", "which one")
    .option("--json", "one object: entry, manifest, verification, pin")
    .addHelpText("after", HELP)
    .action(
      async (
        name: string,
        which: string,
        options: StoreOption & { readonly json?: boolean },
        command: Command,
      ) => {
        const context = await contextOf(command);
        const place = await placeFor(context, name, options);
        const details = await showBackup(place, which, context.task);
        if (options.json === true) return printJson(details);
        printFields(backupFields(details));
      },
    );
}
