import { Command } from "commander";
import { Failure } from "../../core/errors";
import { placeOf } from "../../operations/backup-place";
import { backUp } from "../../operations/backups";
import type { BackupResult } from "../../platforms/contract";
import { backUpNamed, type AnyRedisOptions } from "../any-redis";
import { collect, refuseUrl } from "../backup-options";
import { memoryText } from "../../core/memory-size";
import { contextOf, type CommandContext } from "../context";
import { wrongUsage } from "../exit-codes";
import { printFields, printJson, printLine } from "../print";
import { tlsOptions } from "../redis-tls";
import { PASSPHRASE_VARIABLE, PASSWORD_VARIABLE } from "../secrets";
import { warn } from "../terminal";
import { takenKeys, takenWarnings } from "../../operations/words/taken-words";
import { verifiedCell } from "../../operations/words/addon-words";
import { openingWords } from "../opening-words";
import { expectBulkBytes } from "../../system/bulk-bytes";

const HELP = `
The backup of an add-on goes to its own destination, taken by the agent. One of any other Redis (6.2 or newer, or
Valkey) is taken by this command alone: no agent, no data home, nothing to install there. Its user needs +psync
+replconf +info.

The password comes from ${PASSWORD_VARIABLE}, or is asked for; it never stands in a URL or an argument. Several machines
that back up their own localhost into one store each need a --name of their own.

Exit code 0 means that the backup is in the store, and verified or, where no server here loads its format, checked byte
by byte: then standard error says so. Keep old ones in check with --keep-last or --keep-days.

Examples:
  redis-addon backup run cache
  redis-addon backup run --from redis://db.example:6379 --to file:///var/backups/redis
  redis-addon backup run --from rediss://backup@db.example:6380 --cacert ca.pem \\
      --to 's3://bucket/redis?region=eu-central-1' --name shop --keep-days 30 --encrypt-to age1…
  ${PASSWORD_VARIABLE}="$(cat /etc/redis-backup/password)" redis-addon backup run …          # where nobody can be asked`;

type RunOptions = AnyRedisOptions & { readonly json?: boolean; readonly from?: string; readonly to?: string };

export function runCommand(): Command {
  return tlsOptions(
    new Command("run")
      .description("take a backup now and verify it: of an add-on, or of any Redis with --from and --to")
      .argument("[add-on]", "its name")
      .option("--from <URL>", "any Redis: redis://[user@]host[:port], or rediss:// for TLS")
      .option("--to <URL>", "the store: file:///folder, s3://bucket/prefix")
      .option("--name <name>", "its catalog in the store (default: <host>-<port>)")
      .option("--ask-pass", `ask for the password, whatever ${PASSWORD_VARIABLE} says`),
  )
    .option(
      "--accept-disk",
      "let the server write its snapshot to its own disk: quicker for others, but a full disk stops its writes",
    )
    .option(
      "--encrypt-to <recipient>",
      "encrypt to the owner of this age key (age1…); repeat it for more than one",
      collect,
    )
    .option("--passphrase", `encrypt with a passphrase, from ${PASSPHRASE_VARIABLE} or asked for`)
    .option("--keep-last <count>", "afterwards remove all but the newest so many, pinned ones excepted")
    .option(
      "--keep-days <days>",
      "afterwards remove those older than so many days, the newest three excepted",
    )
    .option("--no-verify", "don't load it to see whether it opens")
    .option("--json", "one object")
    .addHelpText("after", HELP)
    .action(async (name: string | undefined, options: RunOptions, command: Command) => {
      expectBulkBytes();
      const context = await contextOf(command, { takesLong: true });
      const taken = await takenBy(context, name, options);
      for (const warning of takenWarnings(taken)) warn(warning);
      if (options.json === true) return printJson(taken);
      printFields([
        ["Slot", taken.slot],
        ["Archive", taken.archive],
        ["Size", memoryText(taken.sizeBytes)],
        ...(taken.keys === undefined ? [] : [["Keys", takenKeys(taken)] as const]),
        [
          "Verified",
          taken.verification === undefined
            ? "no"
            : verifiedCell({ archiveExists: true, verification: taken.verification.outcome }),
        ],
      ]);
      printLine(`\n${openingWords(taken, { name, store: options.to })}`);
    });
}

function takenBy(
  context: CommandContext,
  name: string | undefined,
  { from, to, ...options }: RunOptions,
): Promise<BackupResult> {
  if (name !== undefined) refuseUrl(name);
  if (from !== undefined && to !== undefined && name === undefined)
    return backUpNamed(context, from, to, options);
  if (name === undefined || from !== undefined || to !== undefined)
    throw wrongUsage(
      "the arguments",
      "a backup is of one add-on, or of a Redis --from somewhere --to somewhere",
      "See redis-addon backup run --help",
    );
  const [stray] = Object.keys(options).filter((option) => !["json", "verify"].includes(option));
  if (stray !== undefined || options.verify === false)
    throw wrongUsage(
      "the options",
      "but for --json they belong to --from: an add-on is backed up as its BackupPolicy says",
    );
  return backUpAddon(context, name);
}

async function backUpAddon({ platform, task }: CommandContext, name: string): Promise<BackupResult> {
  await placeOf({ kind: "addon", platform, name });
  try {
    return await backUp(platform, name, task);
  } catch (error) {
    if (!task.signal.aborted) throw error;
    throw new Failure({
      code: "interrupted",
      operation: "wait for the backup of",
      subject: name,
      cause: "it was interrupted; the agent goes on with the backup",
      hint: `See it later: redis-addon backup list ${name}`,
    });
  }
}
