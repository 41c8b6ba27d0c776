import { Command } from "commander";
import { asFailure, type Failure } from "../../core/errors";
import type { Verification } from "../../core/verification";
import { findSlot } from "../../operations/backup-catalog";
import { verifyBackup } from "../../operations/backup-verify";
import { listBackups } from "../../operations/list-backups";
import { noSuchCatalog, type BackupPlace } from "../../operations/backup-place";
import { catalogCommand, placeFor, type StoreOption } from "../backup-options";
import { contextOf, type CommandContext } from "../context";
import { decryptionOptions, keyRing, type DecryptionOptions } from "../decryption";
import { EXIT, exitCodeOf, exitCodeOfOutcomes, wrongUsage } from "../exit-codes";
import { printJson, printLine, printTable } from "../print";
import { warn } from "../terminal";
import { verifiedCell } from "../../operations/words/addon-words";
import { expectBulkBytes } from "../../system/bulk-bytes";
import { stepBehindServers } from "../../system/step-behind-servers";

const HELP = `
A server of this machine (on the PATH, or kept in the data home) loads a copy of the backup both ways and counts what
is in it; nothing of yours is touched. What was found is noted beside the backup. Where no server here loads its
format, or it needs more memory than there is, every byte is checked all the same: that ends with code 5. The worst of
several decides.

Examples:
  redis-addon backup verify cache                # the latest
  redis-addon backup verify cache --all
  redis-addon backup verify db.example-6379 latest --store s3://bucket/redis --identity key.txt`;

interface VerifyOptions extends StoreOption, DecryptionOptions {
  readonly all?: boolean;
  readonly json?: boolean;
}

export function verifyCommand(): Command {
  return decryptionOptions(catalogCommand("verify", "see whether backups open and hold what they should"))
    .argument("[backup...]", "which ones (default: latest)")
    .option("--all", "all that there are")
    .option("--json", "an array, one object for each backup")
    .addHelpText("after", HELP)
    .action(async (name: string, which: string[], options: VerifyOptions, command: Command) => {
      if (options.all === true && which.length > 0)
        throw wrongUsage("--all", "backups are named as well", "Give one or the other");
      expectBulkBytes();
      const context = await contextOf(command, { takesLong: true });
      const place = await placeFor(context, name, options);
      const { slots, unreadable } = await choose(place, which, options, context);
      await stepBehindServers();
      const { verifications, failures } = await verifyEach(place, slots, options, context);
      const problems = [...unreadable, ...failures];
      for (const { message } of problems) warn(message);
      process.exitCode = exitCodeOfOutcomes([
        ...verifications.map(({ outcome }) => outcome),
        ...problems.map((problem) => (exitCodeOf(problem) === EXIT.damaged ? "damaged" : "failed")),
      ]);
      if (options.json === true) return printJson(verifications);
      if (slots.length === 0) return printLine(`${name} has no backups that could be looked at.`);
      if (verifications.length > 0) printTable(["SLOT", "VERIFIED", "KEYS", "WHY"], verifications.map(rowOf));
    });
}

interface Choice {
  readonly slots: readonly string[];
  /** Why others of them can't even be looked at. */
  readonly unreadable: readonly Failure[];
}

async function choose(
  place: BackupPlace,
  which: readonly string[],
  { all, store }: VerifyOptions,
  { task }: CommandContext,
): Promise<Choice> {
  if (all === true) {
    const { backups, unreadable } = await listBackups(place, task);
    if (store !== undefined && backups.length + unreadable.length === 0) throw noSuchCatalog(place);
    return { slots: backups.map(({ slot }) => slot), unreadable };
  }
  const wanted = which.length === 0 ? ["latest"] : which;
  const slots = await Promise.all(wanted.map((one) => findSlot(place, one, task)));
  return { slots: [...new Set(slots)], unreadable: [] };
}

/** One after the other: each wants a server's memory. What could not be looked at hides no result of another. */
async function verifyEach(
  place: BackupPlace,
  slots: readonly string[],
  options: VerifyOptions,
  { home, task }: CommandContext,
) {
  const keyFor = keyRing(place, options);
  const verifications: Verification[] = [];
  const failures: Failure[] = [];
  for (const slot of slots)
    try {
      verifications.push(await verifyBackup({ place, slot, dataHome: home, keyFor }, task));
    } catch (error) {
      task.signal.throwIfAborted();
      if (slots.length === 1) throw error;
      failures.push(asFailure(error, "verify", slot));
    }
  return { verifications, failures };
}

function rowOf({ slot, outcome, counts, why }: Verification): string[] {
  const verified = verifiedCell({ archiveExists: true, verification: outcome });
  return [slot, verified, counts === undefined ? "-" : String(counts.keys), why ?? ""];
}
