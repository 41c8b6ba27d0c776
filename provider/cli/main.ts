#!/usr/bin/env node
import "./require-node";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { agentCommand } from "./commands/agent";
import { backupCommand } from "./commands/backup";
import { consoleCommand } from "./commands/console";
import { completeCommand, completionCommand } from "./commands/completion";
import { connectCommand } from "./commands/connect";
import { deleteCommand } from "./commands/delete";
import { doctorCommand } from "./commands/doctor";
import { followerCommand } from "./commands/follower";
import { handOverCommand } from "./commands/hand-over";
import { importFileCommand } from "./commands/import-file";
import { infoCommand } from "./commands/info";
import { listCommand } from "./commands/list";
import { logsCommand } from "./commands/logs";
import { restartCommand } from "./commands/restart";
import { PACKAGE_ROOT } from "../system/package-root";
import { EXIT, exitCodeOf, exitCodesHelp } from "./exit-codes";
import { interruptedExitCode } from "./interruption";
import { complain } from "./terminal";

/** The whole tree of commands; what walks it imports this file, which then runs none of them. */
export const program = new Command("redis-addon")
  .description(
    "Managed Redis add-ons on this machine: what runs, how to reach it, who follows whom, how it is backed up.",
  )
  .version(ownVersion(), "-V, --version", "print the version of this program")
  .option("--home <folder>", "the data home (default: $REDIS_ADDON_HOME, else ~/.local/share/redis-addon)")
  .option("--quiet", "no progress on standard error, only warnings and errors")
  .addCommand(listCommand())
  .addCommand(infoCommand())
  .addCommand(connectCommand())
  .addCommand(logsCommand())
  .addCommand(restartCommand())
  .addCommand(followerCommand())
  .addCommand(backupCommand())
  .addCommand(consoleCommand())
  .addCommand(importFileCommand())
  .addCommand(agentCommand())
  .addCommand(handOverCommand())
  .addCommand(deleteCommand())
  .addCommand(doctorCommand())
  .addCommand(completionCommand())
  .addCommand(completeCommand(), { hidden: true });
prepare(program, []);

// A pager that was closed early is no error.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0);
});

// A terminal or log that has gone keeps no command from its end.
process.stderr.on("error", () => undefined);

function ownVersion(): string {
  const { version } = JSON.parse(readFileSync(join(PACKAGE_ROOT, "package.json"), "utf8")) as {
    version: string;
  };
  return version;
}

/** `path`: the names that lead to the command. */
function prepare(command: Command, path: readonly string[]): void {
  command.configureHelp({ showGlobalOptions: true });
  command.addHelpText("after", exitCodesHelp(path.join(" ")));
  command.showHelpAfterError(`See ${["redis-addon", ...path].join(" ")} --help`);
  command.configureOutput({
    outputError: (text, write) =>
      write(
        text
          .replace(/^error: /, "redis-addon: ")
          // Who looks for an option such as --password=… finds none, and should not find its value in a log.
          .replace(/(option '-[^=']*)=[^']*'/, "$1'"),
      ),
  });
  // Commander's own code for wrong usage is the one of every failure.
  command.exitOverride((error) => process.exit(error.exitCode === 0 ? EXIT.done : EXIT.wrongUsage));
  for (const one of command.commands) prepare(one, [...path, one.name()]);
}

async function main(): Promise<void> {
  try {
    await program.parseAsync();
  } catch (error) {
    complain(error instanceof Error ? error.message : String(error));
    process.exitCode = interruptedExitCode() ?? exitCodeOf(error);
  }
  // A connection that lingers must not keep a finished command alive; what was written is out by then.
  process.stdout.write("", () => process.stderr.write("", () => process.exit()));
}

if (require.main === module) void main();
