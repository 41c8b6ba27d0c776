import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { Command } from "commander";
import { Failure } from "../../core/errors";
import { resolveFile } from "../../operations/restore/restore-file";
import { expectBulkBytes } from "../../system/bulk-bytes";
import { contextOf, requireAddon } from "../context";
import { decryptionOptions, keyRing, type DecryptionOptions } from "../decryption";
import { restoreInto } from "../restore-into";

const HELP = `
The file may be, whatever it is called:

  an RDB file       that a Redis or Valkey has written (dump.rdb), or that another provider's export is; also packed by gzip
  a tar             with one .rdb in it, also packed by gzip: what is in it besides is passed over, an .aof too
  an archive        of this package, also an encrypted one

It is loaded by a scratch server first, of the version that the add-on runs, and then put in the place of the add-on's own
data. Where there are keys already, nothing happens without --replace-data, nor before you agreed (or --yes). A verified
backup of what is replaced is taken first.

Not supported: an append-only file or folder (let a redis-server load a copy of it, and write a snapshot with SAVE), the
snapshot of a newer server than the add-on's, data of modules, a part of the data alone, merging with what is there.

Examples:
  redis-addon import-file dump.rdb --into cache
  redis-addon import-file export-of-somebody.tar.gz --into cache --replace-data
  redis-addon import-file 20260102T030000000Z-1f.tar.gz.age --into cache --identity key.txt`;

interface ImportOptions extends DecryptionOptions {
  readonly into: string;
  readonly replaceData?: boolean;
  readonly yes?: boolean;
  readonly json?: boolean;
}

export function importFileCommand(): Command {
  return decryptionOptions(
    new Command("import-file")
      .description("make the data of an RDB file, of any Redis or provider, those of an add-on")
      .argument("<file>", "an RDB file, one packed by gzip or in a tar, or an archive of this package")
      .requiredOption("--into <add-on>", "this add-on gets the data")
      .option("--replace-data", "also where it holds keys: they are backed up, then replaced")
      .option("--yes", "don't ask")
      .option("--json", "one object"),
  )
    .addHelpText("after", HELP)
    .action(async (file: string, options: ImportOptions, command: Command) => {
      const { into, replaceData = false } = options;
      expectBulkBytes();
      const context = await contextOf(command, {
        takesLong: true,
        afterwards: `redis-addon info ${into}`,
      });
      await requireAddon(context, into);
      const path = resolve(file);
      const from = { url: pathToFileURL(path).href, backup: "latest" };
      const keyFor = keyRing({ name: "the archive", destination: "", catalogKey: "" }, options);
      try {
        const resolved = await resolveFile(context.platform, path, { keyFor }, context.task);
        await restoreInto(context, { from, secrets: { keyFor }, replaceData, resolved }, into, options);
      } catch (error) {
        throw aboutFile(error);
      }
    });
}

/** What helps where a backup is damaged, another one, helps nobody who has a file of somebody else's. */
function aboutFile(error: unknown): unknown {
  if (!(error instanceof Failure) || !DAMAGED.includes(error.code)) return error;
  return new Failure({
    ...error.report(),
    hint: "Have it exported or copied anew, or import the one .rdb file in it",
  });
}

const DAMAGED = ["archive-damaged", "archive-truncated"];
