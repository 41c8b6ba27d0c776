import { Command } from "commander";
import { followerStatusOf, type FollowerStatus } from "../../core/follower-status";
import { contextOf, requireAddon, type CommandContext } from "../context";
import { exitCodeOfFollower } from "../exit-codes";
import {
  FOLLOWERS_HEADER,
  followerRow,
  lagWords,
  statusFields,
  stateWords,
} from "../../operations/words/follower-words";
import { interruptedExitCode } from "../interruption";
import { printJson, printJsonLine, printLine, roomOf } from "../print";
import { printable } from "../printable";
import { fieldLines, tableLines } from "../table";
import { watchDisplay } from "../watch-display";

const HELP = `
The lag is what the leader has and the follower has not: in bytes, and in seconds since the leader last heard what the
follower has (it tells each second). Where the leader may not be asked, bytes are not known, and seconds are those
since anything came from it. "~" marks a percentage that is a guess.

--watch draws it anew each second on a terminal; elsewhere it prints a line for each change, with --json an object a
line. Ctrl-C ends it, with code 130.

Examples:
  redis-addon follower status copy
  redis-addon follower status copy --watch
  redis-addon follower status copy --json | jq .lagBytes`;

const LOOK_EVERY_MS = 1_000;

interface StatusOptions {
  readonly watch?: boolean;
  readonly json?: boolean;
}

export function statusCommand(): Command {
  return new Command("status")
    .description(
      "whether an add-on is in sync with its leader, and how far behind; of a leader: who follows it",
    )
    .argument("<add-on>", "its name")
    .option("--watch", "go on until Ctrl-C")
    .option("--json", "one object; with --watch one for each change, a line each")
    .addHelpText("after", HELP)
    .action(async (name: string, options: StatusOptions, command: Command) => {
      const isWatching = options.watch === true;
      const context = await contextOf(command, { isWatching });
      if (isWatching) return watch(context, name, options);
      const status = await look(context, name);
      process.exitCode = exitCodeOfFollower(status);
      if (options.json === true) return printJson(status);
      for (const line of linesOf(status, roomOf(process.stdout))) printLine(line);
    });
}

async function look(context: CommandContext, name: string): Promise<FollowerStatus> {
  return followerStatusOf(await requireAddon(context, name));
}

function linesOf(status: FollowerStatus, room = Infinity): string[] {
  const { followers = [], problems } = status;
  const table = tableLines(FOLLOWERS_HEADER, followers.map(followerRow), { room, expendable: ["ADDRESS"] });
  return [
    ...fieldLines(statusFields(status), { room }),
    ...(followers.length === 0 ? [] : ["", ...table]),
    ...problems.map((problem) => `! ${problem}`),
  ];
}

async function watch(context: CommandContext, name: string, { json }: StatusOptions): Promise<void> {
  const show = json === true ? objectLines() : process.stdout.isTTY ? redrawn() : changeLines(context);
  const { signal, clock } = context.task;
  try {
    for (;;) {
      show(await look(context, name));
      await clock.sleep(LOOK_EVERY_MS, signal);
    }
  } catch (error) {
    // Its usual end.
    if (!signal.aborted) throw error;
    process.exitCode = interruptedExitCode();
  }
}

type Show = (status: FollowerStatus) => void;

function redrawn(): Show {
  const display = watchDisplay(process.stdout);
  return (status) => display.show([...linesOf(status).map(printable), "", "Ctrl-C ends it"]);
}

function changeLines({ task }: CommandContext): Show {
  let last = "";
  return (status) => {
    const words = [stateWords(status), ...status.problems.map((problem) => `! ${problem}`)].join("; ");
    if (words === last) return;
    last = words;
    const lag = lagWords(status);
    const behind = lag === undefined ? "" : `, ${lag} behind`;
    printLine(`${new Date(task.clock.now()).toISOString()} ${status.addon}: ${words}${behind}`);
  };
}

function objectLines(): Show {
  let last = "";
  return (status) => {
    // What grows by itself is no change.
    const { lastSyncedAt: _, lagSeconds: __, secondsSinceIo: ___, followers, ...lasting } = status;
    const others = followers?.map(({ lagSeconds: ____, ...follower }) => follower);
    const text = JSON.stringify({ ...lasting, others });
    if (text === last) return;
    last = text;
    printJsonLine(status);
  };
}
