#!/usr/bin/env node
import { Command } from "commander";
import { Failure } from "../core/errors";
import { agentCommand } from "./commands/agent";
import { backupCommand } from "./commands/backup";
import { deleteCommand } from "./commands/delete";
import { handOverCommand } from "./commands/hand-over";
import { infoCommand } from "./commands/info";
import { listCommand } from "./commands/list";

/** Exit codes, documented in `--help`: 0 done, 1 failed, 2 wrong usage, 3 no such add-on. */
const NO_SUCH_ADDON = 3;

const program = new Command("redis-addon")
  .description("Managed Redis add-ons on this machine: what runs, how to reach it, how it is backed up.")
  .option("--home <folder>", "the data home (default: $REDIS_ADDON_HOME, else ~/.local/share/redis-addon)")
  .addHelpText("after", "\nExit codes: 0 done, 1 failed, 2 wrong usage, 3 no such add-on.")
  .addCommand(listCommand())
  .addCommand(infoCommand())
  .addCommand(backupCommand())
  .addCommand(agentCommand())
  .addCommand(handOverCommand())
  .addCommand(deleteCommand());
exitWithUsageCode(program);

// A pager that was closed early is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
});

/** Commander's own code for wrong usage is the one of every failure. */
function exitWithUsageCode(command: Command): void {
  command.exitOverride((error) => process.exit(error.exitCode === 0 ? 0 : 2));
  command.commands.forEach(exitWithUsageCode);
}

program.parseAsync().catch((error: unknown) => {
  process.stderr.write(`redis-addon: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = error instanceof Failure && error.code === "no-such-addon" ? NO_SUCH_ADDON : 1;
});
