import { Command } from "commander";
import { Failure } from "../../core/errors";
import type { AddonRecord } from "../../core/facets";
import { followed } from "../../core/followed";
import { followerStatusOf, type FollowerStatus } from "../../core/follower-status";
import { memoryText } from "../../core/memory-size";
import type { SyncStatus } from "../../core/status";
import { promote } from "../../operations/promote";
import { promotedWords } from "../../operations/replication-words";
import { syncWords } from "../../redis/sync-status";
import { confirm } from "../confirm";
import { contextOf, requireAddon } from "../context";
import { leaderWords } from "../../operations/words/follower-words";
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
    .option("--yes", "really do it")
    .option("--json", "one object")
    .addHelpText("after", HELP)
    .action(async (name: string, options: { yes?: boolean; json?: boolean }, command: Command) => {
      const context = await contextOf(command, { takesLong: true });
      const addon = await requireAddon(context, name);
      const record = await context.platform.load(name);
      const { wish, given } = declared(name, record);
      const isLeader = wish.position === "promoted";
      if (!isLeader)
        await confirm({
          ...{ yes: options.yes, operation: "promote", subject: name },
          consequences: consequences(followerStatusOf(addon)),
        });
      const { finalOffset } = await promote(
        context.platform,
        {
          ...{ name, claim: { kind: "person" }, given, deadlineMs: DEADLINE_MS },
          wish: { ...wish, position: "promoted" },
        },
        context.task,
      );
      const { host, port } = addon;
      const offset = finalOffset === undefined ? {} : { finalOffset };
      if (options.json === true) return printJson({ leader: name, host, port, ...offset });
      printLine(isLeader ? `${name} is a leader already.` : `${promotedWords(name, finalOffset)}.`);
      printLine(
        `\nNow say \`promote: true\` in its RedisFollower, or take that out of the program: its next pulumi up has it follow again otherwise, and refuses that because it holds keys.`,
      );
    });
}

/** The replication that its RedisFollower declared. */
function declared(name: string, record: AddonRecord | undefined): NonNullable<AddonRecord["replication"]> {
  const replication = record?.replication;
  if (replication !== undefined && replication.wish.position !== "switched-over") return replication;
  const target = record && followed(record);
  const isSwitched = replication !== undefined || target?.kind === "addon";
  const pair = replication === undefined && target?.kind === "addon" ? target.addon : name;
  throw new Failure({
    code: isSwitched ? "switched-over" : "not-a-follower",
    operation: "promote",
    subject: name,
    cause: isSwitched
      ? `its role was exchanged with that of ${pair === name ? "its leader" : pair}, and the two stay a pair`
      : "it follows nobody: no RedisFollower says whom",
    hint: isSwitched
      ? `Exchange the roles back first: redis-addon follower switchover ${pair} --back; or remove the RedisFollower, which leaves two leaders`
      : "See who follows whom: redis-addon list",
  });
}

function consequences(status: FollowerStatus): string[] {
  const { addon, state, lagBytes } = status;
  const leader = leaderWords(status);
  const lost =
    state !== "synced"
      ? [
          `${addon} is not in sync now (${syncWords(status as SyncStatus)}): what it has not received, it never will`,
        ]
      : lagBytes === undefined || lagBytes === 0
        ? []
        : [
            `what ${leader} has and it has not received is left behind: ${memoryText(lagBytes)} at this moment`,
          ];
  return [
    `${addon} becomes a leader with the data that it has, and follows ${leader} no longer`,
    `the two are independent from then on: later writes to the one don't reach the other`,
    ...lost,
  ];
}
