import { Command } from "commander";
import { safetyBackupWords } from "../../operations/replication-words";
import { resync } from "../../operations/resync";
import { resyncConsequences } from "../../operations/resync-consequences";
import { confirm } from "../confirm";
import { contextOf, requireAddon } from "../context";
import { printJson, printLine } from "../print";

const HELP = `
A follower whose leader came back without its data, or with older ones, keeps its own and follows nobody: nobody but a
person can know which of the two are wanted. This says that the leader's are. What the follower has is backed up first,
and so it is for every other follower of that leader, as they take the leader's data too.

To keep the follower's data instead: redis-addon follower promote.

Examples:
  redis-addon follower resync copy
  redis-addon follower resync copy --yes --json`;

/** A first snapshot of a large leader takes its time. */
const DEADLINE_MS = 20 * 60_000;

export function resyncCommand(): Command {
  return new Command("resync")
    .description("have a follower take what its leader has now, though that was found to be less than it had")
    .argument("<add-on>", "the follower's name")
    .option("--yes", "don't ask")
    .option("--json", "one object")
    .addHelpText("after", HELP)
    .action(async (name: string, options: { yes?: boolean; json?: boolean }, command: Command) => {
      const context = await contextOf(command, {
        takesLong: true,
        afterwards: `redis-addon follower status ${name}`,
      });
      const addon = await requireAddon(context, name);
      const { replication } = addon;
      // In sync nothing is kept from it; of a leader the operation says what is wrong.
      if (replication.role === "follower" && replication.sync.state !== "synced")
        await confirm({
          ...{ yes: options.yes, operation: "resync", subject: name },
          consequences: await resyncConsequences(context.platform, addon, context.task),
        });
      const { safetyBackups } = await resync(
        context.platform,
        { name, deadlineMs: DEADLINE_MS },
        context.task,
      );
      if (options.json === true) return printJson({ addon: name, safetyBackups });
      printLine(`${name} is in sync with its leader.`);
      if (safetyBackups.length === 0) printLine("Nothing had kept it from that, so nothing was backed up.");
      for (const backup of safetyBackups) printLine(`${safetyBackupWords(backup.addon, backup.backup)}.`);
    });
}
