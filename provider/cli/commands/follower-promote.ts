import { Command } from "commander";
import { followerStatusOf } from "../../core/follower-status";
import { declaredReplication, isOfProgram } from "../../operations/declared-replication";
import { promoteByPerson } from "../../operations/promote-by-person";
import { promotedWords } from "../../operations/replication-words";
import { promotedProgramWords, promotionConsequences } from "../../operations/words/promotion-words";
import { confirm } from "../confirm";
import { contextOf, requireAddon } from "../context";
import { printJson, printLine } from "../print";

const HELP = `
The follower applies everything that it has received and becomes a leader with its own data, on disk when this returns.
Its old leader is not touched: from then on the two are independent, and later writes to the one don't reach the other.
To exchange the roles of two add-ons of this data home without losing a write, use \`follower switchover\`.

The RedisFollower says who follows, so the program has to say the same: \`promote: true\` (or no RedisFollower any more).
The next pulumi up would have it follow again otherwise, and refuse that, because it holds keys.

Examples:
  redis-addon follower promote copy
  redis-addon follower promote copy --yes --json`;

/** A first AOF of a large add-on takes its time. */
const DEADLINE_MS = 20 * 60_000;

export function promoteCommand(): Command {
  return new Command("promote")
    .description("make a follower a leader with its data; its old leader stays as it is")
    .argument("<add-on>", "its name")
    .option("--yes", "don't ask")
    .option("--json", "one object")
    .addHelpText("after", HELP)
    .action(async (name: string, options: { yes?: boolean; json?: boolean }, command: Command) => {
      const context = await contextOf(command, {
        takesLong: true,
        afterwards: `redis-addon follower status ${name}`,
      });
      const addon = await requireAddon(context, name);
      const record = await context.platform.load(name);
      const replication = declaredReplication(name, record);
      const isLeader = replication.wish.position === "promoted";
      if (!isLeader)
        await confirm({
          ...{ yes: options.yes, operation: "promote", subject: name },
          consequences: promotionConsequences(followerStatusOf(addon)),
        });
      const request = { name, deadlineMs: DEADLINE_MS };
      const { finalOffset } = await promoteByPerson(context.platform, request, context.task);
      const { host, port } = addon;
      const offset = finalOffset === undefined ? {} : { finalOffset };
      if (options.json === true) return printJson({ leader: name, host, port, ...offset });
      printLine(isLeader ? `${name} is a leader already.` : `${promotedWords(name, finalOffset)}.`);
      printLine(`\n${promotedProgramWords(isOfProgram(replication))}`);
    });
}
