import { Command } from "commander";
import { Failure } from "../../core/errors";
import { remove, removedWords } from "../../operations/remove";
import { contextOf, requireAddon } from "../context";
import { printJson, printLine } from "../print";

export function deleteCommand(): Command {
  return new Command("delete")
    .description(
      "delete an add-on that no stack owns any more: takes a final backup, then removes server and data",
    )
    .argument("<add-on>", "its name")
    .option("--yes", "really do it")
    .option("--json", "one object")
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
