import { Command } from "commander";
import { Failure } from "../../core/errors";
import type { AddonRecord } from "../../core/facets";
import { followed } from "../../core/followed";
import type { AddonStatus } from "../../core/status";
import { switchoverWords } from "../../operations/replication-words";
import { switchOver, SWITCHOVER_TIMEOUT_MS } from "../../operations/switch-over";
import { confirm } from "../confirm";
import { contextOf, requireAddon, type CommandContext } from "../context";
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
    .option("--yes", "really do it")
    .option("--json", "one object")
    .addHelpText("after", HELP)
    .action(async (name: string, options: SwitchoverOptions, command: Command) => {
      const context = await contextOf(command, { takesLong: true });
      const { timeout: timeoutMs = SWITCHOVER_TIMEOUT_MS } = options;
      const pair = await pairOf(context, name);
      const [leader, follower] =
        options.back === true ? [pair.declared, pair.follower] : [pair.follower, pair.declared];
      const target = await requireAddon(context, leader);
      if (target.replication.role !== "leader")
        await confirm({
          ...{ yes: options.yes, operation: "switch over", subject: name },
          consequences: consequences(target, follower, timeoutMs),
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
      if (switchover !== undefined) printLine(`${switchoverWords(follower, switchover)}.`);
      printLine(`Programs that write connect to ${leader} at ${host}:${port}.`);
      printLine(`\n${programWords(pair.follower, to)}`);
    });
}

/** Who was declared to follow whom. */
interface Pair {
  readonly follower: string;
  readonly declared: string;
}

async function pairOf({ platform, ...context }: CommandContext, name: string): Promise<Pair> {
  await requireAddon({ platform, ...context }, name);
  const record = await platform.load(name);
  const pair = record && declaredPair(record);
  if (pair !== undefined) return pair;
  const wish = record?.replication?.wish;
  throw new Failure({
    code: wish === undefined ? "not-a-follower" : "leader-not-ours",
    operation: "switch over",
    subject: name,
    cause:
      wish?.kind === "external"
        ? `its leader ${wish.host}:${wish.port} is no add-on of this data home, so nobody here can make it follow`
        : "it follows nobody: no RedisFollower says whom",
    hint:
      wish === undefined
        ? "Name the follower of a pair: redis-addon list"
        : `Make it a leader instead: redis-addon follower promote ${name}`,
  });
}

function declaredPair(record: AddonRecord): Pair | undefined {
  const wish = record.replication?.wish;
  if (wish?.kind === "addon") return { follower: record.name, declared: wish.addon };
  // The leader that was declared, which follows since a switchover.
  const target = wish === undefined ? followed(record) : undefined;
  return target?.kind === "addon" ? { follower: target.addon, declared: record.name } : undefined;
}

function consequences(
  { name: leader, host, port, replication }: AddonStatus,
  follower: string,
  timeoutMs: number,
): string[] {
  const behind =
    replication.role === "follower" && replication.sync.state !== "synced"
      ? [`${leader} is not in sync now, so this may well fail, with everything left as it was`]
      : [];
  return [
    `${leader} becomes the leader, and ${follower} follows it`,
    `writes wait while the roles are exchanged, at most ${durationText(timeoutMs)}`,
    `${follower} answers READONLY from then on: programs that write connect to ${leader} at ${host}:${port}`,
    ...behind,
  ];
}

function programWords(follower: string, to: "switched-over" | "declared"): string {
  return to === "switched-over"
    ? `Now say \`switchedOver: true\` in the RedisFollower of ${follower}: its next pulumi up exchanges them back otherwise.`
    : `Now take \`switchedOver\` out of the RedisFollower of ${follower}: its next pulumi up exchanges them again otherwise.`;
}
