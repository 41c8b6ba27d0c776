import { Command } from "commander";
import { Failure } from "../../core/errors";
import { remove, removedWords } from "../../operations/remove";
import { contextOf, requireAddon } from "../context";
import { printJson, printLine } from "../print";

const HELP = `
Its users are shut out first; where the final backup fails, nothing is removed. Backups stay.

Examples:
  redis-addon delete cache             # says whose it is
  redis-addon delete cache --yes
  redis-addon delete cache --yes --json | jq -r .finalBackup.archive`;

export function deleteCommand(): Command {
  return new Command("delete")
    .description(
      "delete an add-on that no stack owns any more: takes a final backup, then removes server and data",
    )
    .argument("<add-on>", "its name")
    .option("--yes", "really do it")
    .option("--json", "one object")
    .addHelpText("after", HELP)
    .action(async (name: string, options: { yes?: boolean; json?: boolean }, command: Command) => {
      const context = await contextOf(command, { takesLong: true });
      const { owner } = await requireAddon(context, name);
      if (options.yes !== true)
        throw new Failure({
          code: "not-confirmed",
          operation: "delete",
          subject: name,
          cause: `it was made by the stack ${owner.project}/${owner.stack}, which may still have it`,
          hint: `Where that stack has it, take it out of the program and run pulumi up; otherwise: redis-addon delete ${name} --yes`,
        });
      const removal = await remove(context.platform, { name }, context.task);
      if (options.json === true) return printJson(removal);
      if (removal.outcome === "removed") printLine(removedWords(name, removal));
    });
}
