import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { Command } from "commander";
import { Failure } from "../core/errors";
import { forShell } from "../core/for-shell";
import { homePath } from "../operations/agent";
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
export async function placeFor(
  { home, platform }: CommandContext,
  name: string,
  { store }: StoreOption,
): Promise<BackupPlace> {
  refuseUrl(name);
  if (store !== undefined) return placeOf({ kind: "store", url: store, name: catalogName(name) });
  try {
    return await placeOf({ kind: "addon", platform, name });
  } catch (error) {
    throw error instanceof Failure && error.code === "no-such-addon" ? orDeleted(error, home) : error;
  }
}

/** Backups outlive their add-on, in a catalog that only a look into the store shows. */
function orDeleted(missing: Failure, home: string | undefined): Failure {
  const store = pathToFileURL(join(homePath(home), "backups")).href;
  const hint = `Backups of one that was deleted are found by their store, which is this unless its policy said another: redis-addon backup list --store ${forShell(store)}`;
  return new Failure({ ...missing.report(), hint });
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
