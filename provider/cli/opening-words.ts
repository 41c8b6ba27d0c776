import type { BackupResult } from "../platforms/contract";
import { forShell } from "../core/for-shell";

/** How a backup that was just taken is opened, at its end a line to paste where it must be decrypted first. */
export function openingWords(
  { slot, archive }: Pick<BackupResult, "slot" | "archive">,
  {
    name,
    store,
  }: {
    /** The add-on's; absent where there is none. */
    readonly name?: string | undefined;
    /** The URL of the store as it was typed; absent where it is the add-on's own. */
    readonly store?: string | undefined;
  },
): string {
  if (!archive.endsWith(".age"))
    return "Open it: extract it into an empty folder, cd there, run redis-server (see README.txt in it).";
  // The last folder of its URL is its catalog.
  const whose = name ?? archive.split("/").at(-2) ?? "";
  const at = store === undefined ? "" : ` --store ${forShell(store)}`;
  return (
    "Open it: it is encrypted, so it is decrypted first, by age --decrypt, or while it is extracted into a new folder\n" +
    "where redis-server is run (see README.txt there). For one encrypted to an age key add --identity <file>:\n" +
    `  redis-addon backup download ${whose} ${slot}${at} --extract ./copy && cd copy && redis-server`
  );
}
