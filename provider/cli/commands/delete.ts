import { Command } from "commander";
import { remove, removedWords } from "../../operations/remove";
import { removalConsequences } from "../../operations/words/removal-words";
import { confirm } from "../confirm";
import { contextOf, requireAddon } from "../context";
import { printJson, printLine } from "../print";

const HELP = `
Its users are shut out first; where the final backup fails, nothing is removed. Backups stay. Where its server can't run
any more there can be no final backup: --no-final-backup gives the data up, but for the backups that there are.

Examples:
  redis-addon delete cache             # says whose it is and what goes, and asks
  redis-addon delete cache --yes
  redis-addon delete cache --yes --json | jq -r .finalBackup.archive`;

interface DeleteOptions {
  /** False where it is not to be taken. */
  readonly finalBackup: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

export function deleteCommand(): Command {
  return new Command("delete")
    .description(
      "delete an add-on that no stack owns any more: takes a final backup, then removes server and data",
    )
    .argument("<add-on>", "its name")
    .option("--no-final-backup", "give its data up")
    .option("--yes", "don't ask")
    .option("--json", "one object")
    .addHelpText("after", HELP)
    .action(async (name: string, { finalBackup, yes, json }: DeleteOptions, command: Command) => {
      const context = await contextOf(command, {
        takesLong: true,
        afterwards: `redis-addon info ${name}`,
      });
      const addon = await requireAddon(context, name);
      await confirm({
        ...{ yes, operation: "delete", subject: name },
        consequences: removalConsequences(addon, !finalBackup),
      });
      const given = finalBackup ? {} : { withoutBackup: true as const };
      const removal = await remove(context.platform, { name, ...given }, context.task);
      if (json === true) return printJson(removal);
      printLine(
        removal.outcome === "removed" ? `${removedWords(name, removal)}.` : `${name} was deleted already.`,
      );
    });
}
