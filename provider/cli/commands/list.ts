import { Command } from "commander";
import { inspectAll } from "../../operations/inspect";
import { newestVerifiedCell } from "../../operations/words/backup-words";
import { homePath } from "../../operations/agent";
import { contextOf } from "../context";
import { printJson, printLine, printTable } from "../print";
import { warn } from "../terminal";
import { lagCell, roleWords } from "../../operations/words/addon-words";
import { sharedWords } from "../../operations/words/shared-words";
import { memoryWords } from "../../operations/words/usage-words";

const HELP = `
Examples:
  redis-addon list
  redis-addon list --json | jq -r '.[] | select(.health != "healthy") | .name'`;

export function listCommand(): Command {
  return new Command("list")
    .description("all add-ons of the data home")
    .option("--json", "an array, one object for each add-on")
    .addHelpText("after", HELP)
    .action(async (options: { json?: boolean }, command: Command) => {
      const context = await contextOf(command);
      const { platform, task } = context;
      let isComplete = true;
      const all = await inspectAll(platform, task, ({ message }) => {
        isComplete = false;
        warn(message);
      });
      if (options.json === true) return printJson(all);
      if (all.length === 0 && isComplete)
        return printLine(`There are no add-ons in the data home ${homePath(context.home)}.`);
      printTable(
        ["NAME", "HEALTH", "ROLE", "ADDRESS", "VERSION", "MEMORY", "KEYS", "LAG", "BACKED UP"],
        all.map((addon) => [
          addon.name,
          addon.health,
          roleWords(addon),
          `${addon.host}:${addon.port}`,
          addon.wish.version,
          memoryWords(addon),
          addon.server.state === "running" ? String(addon.server.keys) : "-",
          lagCell(addon),
          newestVerifiedCell(addon.backups, task.clock.now()),
        ]),
        // `info`, `follower status` and `backup status` have them.
        ["VERSION", "LAG", "BACKED UP", "KEYS", "ADDRESS", "MEMORY"],
      );
      const problems = all.flatMap(({ name, problems: its }) => its.map((text) => ({ addon: name, text })));
      for (const line of sharedWords(problems)) printLine(`! ${line}`);
      if (problems.length > 0) printLine("\nCauses and what to do about them: redis-addon doctor");
    });
}
