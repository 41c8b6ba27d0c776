import { Command, InvalidArgumentError } from "commander";
import { redisCliCall } from "../../operations/connect-user";
import { contextOf, requireAddon } from "../context";
import { runInPlace } from "../run-in-place";

const HELP = `
Runs redis-cli, or valkey-cli, as the add-on's user. Its password is handed over in the environment, so that it stands in
no process list; what follows -- is redis-cli's, and so is Ctrl-C. The command ends with redis-cli's own exit code, which
is 0 also where Redis answers with an error, unless -e is given.

Examples:
  redis-addon connect cache                          # a prompt
  redis-addon connect cache GET greeting
  redis-addon connect cache --db 2 -- --scan --pattern 'session:*'
  redis-addon connect cache -- -e SET greeting hello # code 1 where Redis refuses it
  redis-addon connect cache -- --stat
  redis-addon connect cache -- --pipe < commands.txt`;

export function connectCommand(): Command {
  return new Command("connect")
    .description("open redis-cli on an add-on as its user, with no password in the process list")
    .argument("<add-on>", "its name")
    .argument("[args...]", "a command for Redis; after -- also options for redis-cli")
    .option("--db <number>", "one of its databases (default: 0)", parseDatabase)
    .addHelpText("after", HELP)
    .action(async (name: string, args: string[], { db }: { db?: number }, command: Command) => {
      const context = await contextOf(command);
      const { platform, task, home: dataHome } = context;
      const addon = await requireAddon(context, name);
      await using call = await redisCliCall(platform, addon, { database: db, args, dataHome }, task);
      process.exitCode = await runInPlace(call.file, call.args, call.environment);
    });
}

function parseDatabase(text: string): number {
  if (!/^\d{1,5}$/.test(text)) throw new InvalidArgumentError("write its number, such as 0");
  return Number(text);
}
