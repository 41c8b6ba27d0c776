import { Command } from "commander";
import { agentStatus, stopAgent } from "../../operations/agent";
import { startInstalledAgent } from "../../operations/agent-service";
import { contextOf } from "../context";
import { printFields, printJson, printLine } from "../print";
import { installServiceCommand } from "./agent-install-service";

const EXAMPLES = `
Examples:
  redis-addon agent status
  redis-addon agent start              # after a boot, where no service does it
  redis-addon agent install-service    # from now on a service does it
  redis-addon agent stop --keep-servers`;

const START_HELP = `
It is no error where it runs already. Where a service is installed, that starts it.

Examples:
  redis-addon agent start
  redis-addon agent start --json | jq .agent.pid`;

const STATUS_HELP = `
Nothing is started. The exit code is 0 whether it runs or not; \`redis-addon doctor\` says what that means.

Examples:
  redis-addon agent status
  redis-addon agent status --json | jq -e .agent          # fails where none runs`;

const STOP_HELP = `
A service that runs it does not start it again before the next boot or login.

Examples:
  redis-addon agent stop                       # add-ons are down from here on
  redis-addon agent stop --keep-servers        # they answer, but nothing restarts them or takes backups`;

export function agentCommand(): Command {
  return new Command("agent")
    .description("the daemon that keeps servers running and takes backups")
    .addCommand(start())
    .addCommand(status())
    .addCommand(stop())
    .addCommand(installServiceCommand())
    .addHelpText("after", EXAMPLES);
}

function start(): Command {
  return new Command("start")
    .description("start it, and with it all servers, where it doesn't run")
    .option("--json", "one object, as that of `agent status`")
    .addHelpText("after", START_HELP)
    .action(async (options: { json?: boolean }, command: Command) => {
      const { home, task } = await contextOf(command);
      await startInstalledAgent(home, task);
      const found = await agentStatus(home);
      if (options.json === true) return printJson(found);
      printLine(`The agent runs as process ${found.agent?.pid ?? "unknown"}.`);
    });
}

function status(): Command {
  return new Command("status")
    .description("whether it runs, which build, for which data home")
    .option("--json", "one object")
    .addHelpText("after", STATUS_HELP)
    .action(async (options: { json?: boolean }, command: Command) => {
      const { home, platform } = await contextOf(command);
      const found = await agentStatus(home);
      // Nobody can tell of a data home that can't be read.
      if (found.agent === undefined) await platform.home();
      if (options.json === true) return printJson(found);
      if (found.agent === undefined) return printLine(`No agent runs for ${found.home}.`);
      printFields([
        ["Data home", found.home],
        ["Process", String(found.agent.pid)],
        ["Build", found.agent.program],
        ["Console", found.console ?? "not served now"],
      ]);
    });
}

function stop(): Command {
  return new Command("stop")
    .description(
      "stop it, and its servers cleanly; the next change or `agent start` brings them back with their data",
    )
    .option("--keep-servers", "leave the servers running, unattended")
    .option("--json", "one object: whether it ran, and the add-ons whose servers were stopped")
    .addHelpText("after", STOP_HELP)
    .action(async (options: { keepServers?: boolean; json?: boolean }, command: Command) => {
      const { home, platform, task } = await contextOf(command);
      const answer = await stopAgent(home, options.keepServers === true, task);
      if (answer === undefined) await platform.home();
      if (options.json === true)
        return printJson({ ran: answer !== undefined, stopped: answer?.stopped ?? [] });
      if (answer === undefined) return printLine("No agent was running.");
      if (options.keepServers === true)
        return printLine("The agent stopped; its servers run on, unattended.");
      const names = answer.stopped.length === 0 ? "none ran" : answer.stopped.join(", ");
      printLine(`The agent stopped. Servers stopped with their data written down: ${names}.`);
    });
}
