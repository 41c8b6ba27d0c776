import { Command, InvalidArgumentError } from "commander";
import { handOver } from "../../operations/hand-over";
import { contextOf, requireAddon } from "../context";
import { printJson, printLine } from "../print";

const HELP = `
Nothing about its server changes: the next pulumi up of that stack, with a RedisAddon of this name, adopts it.

Examples:
  redis-addon hand-over cache --to shop/production
  redis-addon hand-over cache --to shop/production --json`;

interface HandOverOptions {
  readonly to: { readonly project: string; readonly stack: string };
  readonly json?: boolean;
}

export function handOverCommand(): Command {
  return new Command("hand-over")
    .description("let another Pulumi project or stack adopt an add-on, its data kept")
    .argument("<add-on>", "its name")
    .requiredOption("--to <project/stack>", "who shall own it", parseOwner)
    .option("--json", "one object: whose it was, and whose it is")
    .addHelpText("after", HELP)
    .action(async (name: string, { to, json }: HandOverOptions, command: Command) => {
      const context = await contextOf(command);
      const { owner: from } = await requireAddon(context, name);
      await handOver(context.platform, { name, to }, context.task);
      if (json === true) return printJson({ addon: name, from, to });
      printLine(`${name} belongs to ${to.project}/${to.stack} now: its next pulumi up adopts it.`);
    });
}

function parseOwner(text: string): { project: string; stack: string } {
  const [project, stack, ...rest] = text.split("/");
  if (!project || !stack || rest.length > 0) throw new InvalidArgumentError("write it as project/stack");
  return { project, stack };
}
