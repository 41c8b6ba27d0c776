import { Command } from "commander";
import { placeOf, type BackupPlace } from "../operations/backup-place";
import type { CommandContext } from "./context";
import { wrongUsage } from "./exit-codes";
import { catalogName } from "./redis-address";

export interface StoreOption {
  readonly store?: string;
}

/** A command on the backups of one add-on, or with `--store` on one catalog there. */
export function catalogCommand(name: string, description: string): Command {
  return storeOption(new Command(name).description(description)).argument(
    "<name>",
    "the add-on's; with --store the catalog's, as `backup list --store` shows it",
  );
}

export function storeOption(command: Command): Command {
  return command.option(
    "--store <URL>",
    "any store instead of an add-on's own: file:///folder, s3://bucket/prefix",
  );
}

/** Where the backups of what was named lie. */
export function placeFor(
  { platform }: CommandContext,
  name: string,
  { store }: StoreOption,
): Promise<BackupPlace> {
  refuseUrl(name);
  if (store === undefined) return placeOf({ kind: "addon", platform, name });
  return placeOf({ kind: "store", url: store, name: catalogName(name) });
}

/** A URL may hold a password, so it is not repeated. */
export function refuseUrl(name: string): void {
  if (name.includes("://"))
    throw wrongUsage("the name", "it is a URL", "A Redis is named with --from, a store with --to or --store");
}

/** Gathers an option that may be given several times. */
export function collect(value: string, earlier: readonly string[] = []): readonly string[] {
  return [...earlier, value];
}
