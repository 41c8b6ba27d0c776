import { Command } from "commander";
import { agentStatus, startAgent, stopAgent } from "../../operations/agent";
import { contextOf } from "../context";
import { printFields, printJson, printLine } from "../print";

export function agentCommand(): Command {
  return new Command("agent")
    .description("the daemon that keeps servers running and takes backups")
    .addCommand(start())
    .addCommand(status())
    .addCommand(stop());
}

function start(): Command {
  return new Command("start")
    .description("start it, and with it all servers, where it doesn't run")
    .action(async (_options: unknown, command: Command) => {
      const { home, task } = await contextOf(command);
      await startAgent(home, task);
      const { agent } = await agentStatus(home);
      printLine(`The agent runs as process ${agent?.pid ?? "unknown"}.`);
    });
}

function status(): Command {
  return new Command("status")
    .description("whether it runs, which build, for which data home")
    .option("--json", "one object")
    .action(async (options: { json?: boolean }, command: Command) => {
      const { home } = await contextOf(command);
      const found = await agentStatus(home);
      if (options.json === true) return printJson(found);
      if (found.agent === undefined) return printLine(`No agent runs for ${found.home}.`);
      printFields([
        ["Data home", found.home],
        ["Process", String(found.agent.pid)],
        ["Build", found.agent.program],
      ]);
    });
}

function stop(): Command {
  return new Command("stop")
    .description(
      "stop it, and its servers cleanly; the next change or `agent start` brings them back with their data",
    )
    .option("--keep-servers", "leave the servers running, unattended")
    .action(async (options: { keepServers?: boolean }, command: Command) => {
      const { home, task } = await contextOf(command);
      const answer = await stopAgent(home, options.keepServers === true, task);
      if (answer === undefined) return printLine("No agent was running.");
      if (options.keepServers === true)
        return printLine("The agent stopped; its servers run on, unattended.");
      const names = answer.stopped.length === 0 ? "none ran" : answer.stopped.join(", ");
      printLine(`The agent stopped. Servers stopped with their data written down: ${names}.`);
    });
}
