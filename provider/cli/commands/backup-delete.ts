import { Command } from "commander";
import { Failure } from "../../core/errors";
import { deleteBackup, lookAtDeletion } from "../../operations/backup-catalog";
import { catalogCommand, placeFor, type StoreOption } from "../backup-options";
import { whatGoes } from "../../operations/words/deletion-words";
import { confirm } from "../confirm";
import { contextOf } from "../context";
import { printJson, printLine } from "../print";

/** What overcomes a refusal, as it is spelt here. */
const OVERCOME: Readonly<Record<string, string>> = {
  pinned: "Unpin it first: redis-addon backup unpin",
  "newest-verified": "Verify a newer one first, or add --even-newest-verified",
};

const HELP = `
Pinned backups are not deleted before they are unpinned, nor the newest verified one without --even-newest-verified. One
whose manifest is damaged goes with every archive of that slot: nothing tells any more which one was its own.

Examples:
  redis-addon backup delete cache 20260102T030000000Z          # says what would go, and asks
  redis-addon backup delete cache 20260102T030000000Z --yes`;

interface DeleteOptions extends StoreOption {
  readonly yes?: boolean;
  readonly evenNewestVerified?: boolean;
  readonly json?: boolean;
}

export function deleteCommand(): Command {
  return catalogCommand("delete", "delete one backup for ever")
    .argument("<backup>", "which one")
    .option("--yes", "don't ask")
    .option("--even-newest-verified", "also where it is the newest that is known to be good")
    .option("--json", "one object")
    .addHelpText("after", HELP)
    .action(async (name: string, which: string, options: DeleteOptions, command: Command) => {
      const context = await contextOf(command);
      const place = await placeFor(context, name, options);
      const found = await lookAtDeletion(place, which, context.task);
      await confirm({
        ...{ yes: options.yes, operation: "delete", subject: `backup ${found.slot} of ${name}` },
        consequences: [`it removes ${whatGoes(found)}, for ever`],
      });
      // Only what was told is taken away: one whose manifest is damaged since is refused.
      const evenDamaged = found.manifestDamage !== undefined;
      const evenNewestVerified = options.evenNewestVerified === true;
      const overcome = { evenNewestVerified, evenDamaged };
      await deleteBackup(place, found.slot, overcome, context.task).catch((error: unknown) => {
        throw withOption(error);
      });
      if (options.json === true) return printJson({ ...found, deleted: true });
      printLine(`Backup ${found.slot} of ${name} is deleted.`);
      if (evenDamaged) printLine(`What went: ${whatGoes(found)}.`);
    });
}

function withOption(error: unknown): unknown {
  const hint = error instanceof Failure ? OVERCOME[error.code] : undefined;
  return error instanceof Failure && hint !== undefined ? new Failure({ ...error.report(), hint }) : error;
}
