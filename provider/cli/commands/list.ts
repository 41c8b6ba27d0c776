import { Command } from "commander";
import { planOf } from "../../core/plans";
import { inspectAll } from "../../operations/inspect";
import { memoryText } from "../../core/memory-size";
import { newestVerifiedCell } from "../../operations/words/backup-words";
import { contextOf } from "../context";
import { printJson, printLine, printTable } from "../print";
import { warn } from "../terminal";
import { lagCell, roleWords } from "../../operations/words/addon-words";

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
      const { platform, task } = await contextOf(command);
      let isComplete = true;
      const all = await inspectAll(platform, task, ({ message }) => {
        isComplete = false;
        warn(message);
      });
      if (options.json === true) return printJson(all);
      if (all.length === 0 && isComplete) return printLine("There are no add-ons in this data home.");
      printTable(
        ["NAME", "HEALTH", "ROLE", "ADDRESS", "VERSION", "MEMORY", "KEYS", "LAG", "BACKED UP"],
        all.map((addon) => [
          addon.name,
          addon.health,
          roleWords(addon),
          `${addon.host}:${addon.port}`,
          addon.wish.version,
          addon.server.state === "running"
            ? `${memoryText(addon.server.memoryUsedBytes)} of ${memoryText(planOf(addon.wish.plan).memoryBytes)}`
            : "-",
          addon.server.state === "running" ? String(addon.server.keys) : "-",
          lagCell(addon),
          newestVerifiedCell(addon.backups, task.clock.now()),
        ]),
        // `info`, `follower status` and `backup status` have them.
        ["VERSION", "LAG", "BACKED UP"],
      );
      for (const addon of all) for (const problem of addon.problems) printLine(`! ${addon.name}: ${problem}`);
    });
}
