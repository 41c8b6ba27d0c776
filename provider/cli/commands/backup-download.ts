import { resolve } from "node:path";
import { Command } from "commander";
import { downloadBackup, type DownloadRequest } from "../../operations/backup-download";
import { catalogCommand, placeFor, type StoreOption } from "../backup-options";
import { memoryText } from "../../core/memory-size";
import { contextOf } from "../context";
import { decryptionOptions, keyRing, type DecryptionOptions } from "../decryption";
import { wrongUsage } from "../exit-codes";
import { forShell } from "../../core/for-shell";
import { printJson, printLine } from "../print";
import { expectBulkBytes } from "../../system/bulk-bytes";

const HELP = `
What arrives is compared with the manifest's SHA-256; nothing lies there before all of it does. An encrypted archive
arrives as it is, for \`age --decrypt\`, unless it is extracted.

Examples:
  redis-addon backup download cache latest-verified
  redis-addon backup download cache latest --extract ./copy && cd copy && redis-server --port 6380`;

interface DownloadOptions extends StoreOption, DecryptionOptions {
  readonly to?: string;
  readonly extract?: string;
  readonly json?: boolean;
}

export function downloadCommand(): Command {
  return decryptionOptions(catalogCommand("download", "fetch a backup's archive, or the files in it"))
    .argument("<backup>", "which one")
    .option("--to <path>", "the file to write (default: the archive's name, in this folder)")
    .option("--extract <folder>", "write the archive's files into this new or empty folder instead")
    .option("--json", "one object")
    .addHelpText("after", HELP)
    .action(async (name: string, which: string, options: DownloadOptions, command: Command) => {
      if (options.to !== undefined && options.extract !== undefined)
        throw wrongUsage("--to and --extract", "a backup is fetched as a file or as a folder");
      expectBulkBytes();
      const context = await contextOf(command, { takesLong: true });
      const place = await placeFor(context, name, options);
      const keyFor = keyRing(place, options);
      const fetched = await downloadBackup({ place, which, into: targetOf(options), keyFor }, context.task);
      if (options.json === true) return printJson(fetched);
      printLine(`${fetched.path} (${memoryText(fetched.sizeBytes)}): backup ${fetched.slot} of ${name}`);
      if (options.extract !== undefined)
        printLine(`\nOpen it: cd ${forShell(options.extract)} && redis-server (see README.txt in it).`);
    });
}

function targetOf({ to, extract }: DownloadOptions): DownloadRequest["into"] {
  if (extract !== undefined) return { kind: "folder", path: resolve(extract) };
  return to === undefined ? { kind: "file-in", folder: process.cwd() } : { kind: "file", path: resolve(to) };
}
