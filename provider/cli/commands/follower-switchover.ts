import { Command } from "commander";
import { pairOf } from "../../operations/pair";
import { switchoverWords } from "../../operations/replication-words";
import { switchOver, SWITCHOVER_TIMEOUT_MS } from "../../operations/switch-over";
import { switchedProgramWords, switchoverConsequences } from "../../operations/words/switchover-words";
import { confirm } from "../confirm";
import { contextOf, requireAddon } from "../context";
import { durationText, parseDuration } from "../duration";
import { printJson, printLine } from "../print";

const HELP = `
The follower becomes the leader and the leader follows it; no acknowledged write is lost. Both are add-ons of this data
home. Writes wait while the follower catches up, at most for --timeout; is it longer, everything is left as it was.
Nobody is disconnected: who goes on writing to the old leader is answered READONLY, and connects to the new one.

The RedisFollower says who leads, so the program has to say the same: \`switchedOver: true\`, and nothing (or false) once
it is exchanged back. The next pulumi up would exchange the roles again otherwise.

Examples:
  redis-addon follower switchover copy               # copy follows: now it leads
  redis-addon follower switchover copy --back        # its leader leads again
  redis-addon follower switchover copy --yes --json`;

interface SwitchoverOptions {
  readonly back?: boolean;
  readonly timeout?: number;
  readonly yes?: boolean;
  readonly json?: boolean;
}

export function switchoverCommand(): Command {
  return new Command("switchover")
    .description("exchange the roles of a follower and its leader, without losing a write")
    .argument("<add-on>", "the follower's name, as it was declared")
    .option("--back", "give the role back to the leader that was declared")
    .option(
      "--timeout <duration>",
      `how long writes may wait: 500ms, 10s, 2m (default: ${durationText(SWITCHOVER_TIMEOUT_MS)})`,
      parseDuration,
    )
    .option("--yes", "don't ask")
    .option("--json", "one object")
    .addHelpText("after", HELP)
    .action(async (name: string, options: SwitchoverOptions, command: Command) => {
      const context = await contextOf(command, {
        takesLong: true,
        afterwards: `redis-addon follower status ${name}`,
      });
      const { timeout: timeoutMs = SWITCHOVER_TIMEOUT_MS } = options;
      await requireAddon(context, name);
      const pair = await pairOf(context.platform, name);
      const [leader, follower] =
        options.back === true ? [pair.declared, pair.follower] : [pair.follower, pair.declared];
      const target = await requireAddon(context, leader);
      if (target.replication.role !== "leader")
        await confirm({
          ...{ yes: options.yes, operation: "switch over", subject: name },
          consequences: switchoverConsequences(target, follower, durationText(timeoutMs)),
        });
      const to = options.back === true ? "declared" : "switched-over";
      const { switchover } = await switchOver(
        context.platform,
        { name: pair.follower, claim: { kind: "person" }, to, timeoutMs },
        context.task,
      );
      const { host, port } = target;
      if (options.json === true)
        return printJson({
          leader,
          follower,
          host,
          port,
          ...(switchover === undefined ? {} : { switchover }),
        });
      printLine(
        switchover === undefined
          ? `${leader} leads already, and ${follower} follows it.`
          : `${leader} leads now, and ${follower} follows it.`,
      );
      if (switchover !== undefined) printLine(`${capitalised(switchoverWords(follower, switchover))}.`);
      printLine(`Programs that write connect to ${leader} at ${host}:${port}.`);
      printLine(`\n${switchedProgramWords(pair, to)}`);
    });
}

function capitalised(words: string): string {
  return words.charAt(0).toUpperCase() + words.slice(1);
}
