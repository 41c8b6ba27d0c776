import { Command, InvalidArgumentError } from "commander";
import { handOver } from "../../operations/hand-over";
import { contextOf, requireAddon } from "../context";
import { printLine } from "../print";

export function handOverCommand(): Command {
  return new Command("hand-over")
    .description("let another Pulumi project or stack adopt an add-on, its data kept")
    .argument("<add-on>", "its name")
    .requiredOption("--to <project/stack>", "who shall own it", parseOwner)
    .action(async (name: string, options: { to: { project: string; stack: string } }, command: Command) => {
      const context = await contextOf(command);
      await requireAddon(context, name);
      await handOver(context.platform, { name, to: options.to }, context.task);
      printLine(
        `${name} belongs to ${options.to.project}/${options.to.stack} now: its next pulumi up adopts it.`,
      );
    });
}

function parseOwner(text: string): { project: string; stack: string } {
  const [project, stack, ...rest] = text.split("/");
  if (!project || !stack || rest.length > 0) throw new InvalidArgumentError("write it as project/stack");
  return { project, stack };
}
