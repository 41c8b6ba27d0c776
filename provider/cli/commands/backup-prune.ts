import { Command } from "commander";
import { Failure } from "../../core/errors";
import { memoryText } from "../../core/memory-size";
import { noSuchCatalog } from "../../operations/backup-place";
import { planPruning, pruneBackups, pruningOf } from "../../operations/prune-backups";
import { catalogCommand, refuseUrl, type StoreOption } from "../backup-options";
import { retentionWords } from "../../operations/words/backup-words";
import { expectManyObjects } from "../../system/many-objects";
import { confirm } from "../confirm";
import { contextOf } from "../context";
import { catalogName } from "../redis-address";
import { printJson, printLine, printTable } from "../print";
import { retentionOf, retentionOptions, type RetentionOptions } from "../retention-options";

const HELP = `
Each backup of an add-on is followed by a pruning, so there is no need for this; it removes at once what a policy that
was just changed no longer keeps. Rules that are given count instead of the policy's, this time. They are a union: what
any of them keeps is kept, and so are pinned backups and the newest verified one.

Examples:
  redis-addon backup prune cache --dry-run                   # what would go, with why; --list: what stays, too
  redis-addon backup prune cache --daily 14 --monthly 12 --dry-run
  redis-addon backup prune db.example-6379 --keep-last 10 --store file:///var/backups/redis --yes`;

interface PruneOptions extends StoreOption, RetentionOptions {
  readonly dryRun?: boolean;
  readonly list?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

type Plan = Awaited<ReturnType<typeof planPruning>>;

export function pruneCommand(): Command {
  return retentionOptions(catalogCommand("prune", "remove the backups that the retention no longer keeps"))
    .option("--dry-run", "only say what would go, each with why")
    .option("--list", "also what stays, each with why")
    .option("--yes", "don't ask")
    .option("--json", "one object: removals, kept, and the slots that were removed")
    .addHelpText("after", HELP)
    .action(async (name: string, options: PruneOptions, command: Command) => {
      refuseUrl(name);
      expectManyObjects();
      const rules = retentionOf(options);
      const { platform, task } = await contextOf(command, { takesLong: true });
      const { store, json, dryRun, list, yes } = options;
      const pruning = await pruningOf(
        store === undefined
          ? { kind: "addon", platform, name }
          : { kind: "store", url: store, name: catalogName(name) },
        rules,
      );
      const plan = await planPruning(pruning, task);
      const told = dryRun === true || list === true;
      const total = plan.removals.length + plan.kept.length;
      if (store !== undefined && total === 0) throw noSuchCatalog(pruning.place);
      if (json !== true)
        printPlan({ removals: told ? plan.removals : [], kept: list === true ? plan.kept : [] });
      if (dryRun === true)
        return json === true ? printJson(plan) : printLine(`Would remove ${whatGoes(plan, total, name)}.`);
      if (plan.removals.length > 0)
        await confirm({
          ...{ yes, operation: "prune the backups of", subject: name },
          consequences: [
            `it removes ${whatGoes(plan, total, name)}, for ever`,
            `it keeps ${retentionWords(pruning.retention)}, what is pinned and the newest verified one`,
            ...(rules === undefined || store !== undefined
              ? []
              : ["these rules count instead of its policy's"]),
          ],
        });
      const { removed, failure } = await pruneBackups(pruning, task);
      const sizes = new Map(plan.removals.map(({ slot, sizeBytes }) => [slot, sizeBytes]));
      const went = removed.map((slot) => ({ slot, sizeBytes: sizes.get(slot) ?? 0 }));
      if (json === true) printJson({ ...plan, removed });
      else printLine(`Removed ${whatGoes({ removals: went }, total, name)}.`);
      if (failure !== undefined) throw new Failure(failure);
    });
}

/** `12 of 40 backups of cache, 3.4 GiB, the oldest 20260102T030000000Z`. */
function whatGoes(
  { removals }: { readonly removals: readonly Pick<Plan["removals"][number], "slot" | "sizeBytes">[] },
  total: number,
  name: string,
): string {
  const [oldest] = removals;
  if (oldest === undefined) return `none of the backups of ${name} (${total} in all)`;
  const bytes = removals.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  return `${removals.length} of ${total} backups of ${name}, ${memoryText(bytes)}, the oldest ${oldest.slot}`;
}

function printPlan({ removals, kept }: Plan): void {
  const rows = [
    ...removals.map(
      ({ slot, sizeBytes, reasons }) => [slot, "goes", memoryText(sizeBytes), reasons] as const,
    ),
    ...kept.map(({ slot, reasons }) => [slot, "stays", "-", reasons] as const),
  ];
  if (rows.length === 0) return;
  printTable(
    ["SLOT", "FATE", "SIZE", "WHY"],
    rows
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([slot, fate, size, why]) => [slot, fate, size, why.join(", ")]),
  );
}
