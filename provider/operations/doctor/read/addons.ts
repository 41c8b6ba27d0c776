import { Failure } from "../../../core/errors";
import type { AddonRecord } from "../../../core/facets";
import { serverSettings } from "../../../core/settings";
import type { Task } from "../../../core/task";
import type { Placement, Platform } from "../../../platforms/contract";
import { backupStatusOf } from "../../backup-status";
import { severalAtOnce } from "../../several-at-once";
import type { SeenAddon, SeenBackups } from "../judge/addons";

/** What could be read of a data home. */
export interface FoundAddons {
  readonly all: readonly Placement[];
  /** Of each whose record can't be read: why. */
  readonly unreadable: readonly string[];
  /** Why nobody can tell which add-ons there are; absent: somebody can. */
  readonly hidden?: string;
}

export async function findAddons(platform: Platform): Promise<FoundAddons> {
  const names = await platform.names().catch((error: unknown) => {
    if (error instanceof Failure) return error;
    throw error;
  });
  if (names instanceof Failure) return { all: [], unreadable: [], hidden: names.cause };
  const unreadable: string[] = [];
  const looked = await severalAtOnce(names, (name) =>
    platform.placement(name).catch((error: unknown) => {
      if (!(error instanceof Failure)) throw error;
      unreadable.push(`${name}: ${error.cause}`);
      return undefined;
    }),
  );
  return { all: looked.filter((placement) => placement !== undefined), unreadable };
}

/** That no agent runs is a check of its own. */
export function addonSeen({ record, process }: Placement): SeenAddon {
  const addon = record.name;
  if (process.state === "stopped") return { addon, trouble: process.why };
  if (process.state === "running" && process.trouble !== undefined)
    return { addon, trouble: process.trouble };
  return { addon };
}

export function backupsSeen(
  platform: Platform,
  all: readonly Placement[],
  task: Task,
): Promise<readonly SeenBackups[]> {
  return severalAtOnce(all, async ({ record: { name } }) => {
    const { health, missing, stored } = await backupStatusOf(platform, name, task);
    const troubles = [
      ...(health.why === undefined ? [] : [health.why]),
      ...(missing === undefined ? [] : [`the verified one of ${missing} is not in its store any more`]),
      ...("unknown" in stored ? [`their store can't be asked: ${stored.unknown}`] : []),
    ];
    return { addon: name, ...(troubles.length === 0 ? {} : { trouble: troubles.join("; ") }) };
  });
}

/** A setting that a server is started with, as a number; absent: it has Redis's default. */
export function numberOf(record: AddonRecord, setting: string): number | undefined {
  const found = serverSettings(record).find(({ name }) => name === setting);
  return found === undefined ? undefined : Number(found.values[0]);
}
