import { Command, InvalidArgumentError, Option } from "commander";
import { followLog, MOST_LOG_LINES, readLog, USUAL_LOG_LINES, type LogWish } from "../../operations/logs";
import { LOG_SOURCES, type LogLine, type LogSource } from "../../platforms/contract";
import { contextOf, type CommandContext } from "../context";
import { interruptedExitCode } from "../interruption";
import { printJson, printJsonLine, printLine } from "../print";

const HELP = `
What its server wrote itself, and what the agent, which looks after it, wrote about it, in the order of their times, which
are in UTC. "!" marks what somebody should look at. A line without a time goes on with the one before it. Of a log that
grew beyond 10 MiB the older part is kept beside it, and the one before that is gone.

Examples:
  redis-addon logs cache
  redis-addon logs cache --follow                    # and what comes, until Ctrl-C
  redis-addon logs cache --source agent --lines 1000
  redis-addon logs cache --json | jq -r '.[] | select(.level == "warning") | .text'`;

/** As wide as every time is. */
const NO_TIME = " ".repeat("2026-01-01T00:00:00.000Z".length);
const SOURCE_WIDTH = Math.max(...LOG_SOURCES.map((source) => source.length));

interface LogsOptions {
  readonly lines: number;
  readonly follow?: boolean;
  readonly source?: LogSource;
  readonly json?: boolean;
}

export function logsCommand(): Command {
  return new Command("logs")
    .description("what an add-on's server and the agent say about it")
    .argument("<add-on>", "its name")
    .addOption(
      new Option("--lines <number>", `the newest so many, at most ${MOST_LOG_LINES}`)
        .argParser(parseLines)
        .default(USUAL_LOG_LINES),
    )
    .option("--follow", "go on with what is written, until Ctrl-C or until the add-on is deleted")
    .addOption(new Option("--source <source>", "one of them alone").choices(LOG_SOURCES))
    .option("--json", "an array, one object for each line; with --follow one object a line")
    .addHelpText("after", HELP)
    .action(async (name: string, options: LogsOptions, command: Command) => {
      const isWatching = options.follow === true;
      const context = await contextOf(command, { isWatching });
      const { lines, source } = options;
      const wish = { lines, ...(source === undefined ? {} : { sources: [source] }) };
      if (isWatching) return follow(context, name, wish, options);
      const read = await readLog(context.platform, name, wish);
      if (options.json === true) return printJson(read.lines);
      for (const line of read.lines) printLine(shown(line));
    });
}

async function follow(
  { platform, task }: CommandContext,
  name: string,
  wish: LogWish,
  { json }: LogsOptions,
): Promise<void> {
  for await (const { lines } of followLog(platform, name, wish, task))
    for (const line of lines) {
      if (json === true) printJsonLine(line);
      else printLine(shown(line));
    }
  process.exitCode = interruptedExitCode();
}

function shown({ at = NO_TIME, source, level, text }: LogLine): string {
  return `${at}  ${source.padEnd(SOURCE_WIDTH)} ${level === "warning" ? "!" : " "} ${text}`.trimEnd();
}

function parseLines(text: string): number {
  if (!/^\d{1,6}$/.test(text) || Number(text) > MOST_LOG_LINES)
    throw new InvalidArgumentError(`write a number from 0 to ${MOST_LOG_LINES}`);
  return Number(text);
}
