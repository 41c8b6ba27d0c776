import { Command } from "commander";
import { previewRestart, restart } from "../../operations/restart";
import { restartConsequences, restartWords } from "../../operations/words/restart-words";
import { confirm } from "../confirm";
import { contextOf, requireAddon } from "../context";
import { printJson, printLine } from "../print";

const HELP = `
Its data are written down first, its connections are closed, and the command returns once it answers and is as it was
declared. One that doesn't run is started.

Examples:
  redis-addon restart cache                          # says what it means, and asks
  redis-addon restart cache --yes --json | jq .awayMs`;

export function restartCommand(): Command {
  return new Command("restart")
    .description("restart an add-on's server, its data kept")
    .argument("<add-on>", "its name")
    .option("--yes", "don't ask")
    .option("--json", "one object")
    .addHelpText("after", HELP)
    .action(async (name: string, { yes, json }: { yes?: boolean; json?: boolean }, command: Command) => {
      const context = await contextOf(command, {
        takesLong: true,
        afterwards: `redis-addon info ${name}`,
      });
      const { platform, task } = context;
      const addon = await requireAddon(context, name);
      const consequences = restartConsequences(addon, await previewRestart(platform, name, task));
      if (consequences.length > 0) await confirm({ yes, operation: "restart", subject: name, consequences });
      const restarted = await restart(platform, name, task);
      if (json === true) return printJson({ addon: name, ...restarted });
      printLine(`${restartWords(name, restarted)}.`);
    });
}
