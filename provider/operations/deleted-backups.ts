import { catalogKeyOf } from "../core/catalog-key";
import { asFailure } from "../core/errors";
import type { Task } from "../core/task";
import type { Platform } from "../platforms/contract";
import { destinationIn, layoutOf } from "../platforms/local/home";
import type { CatalogSummary } from "./backup-catalog";
import { openPlace } from "./backup-place";
import { severalAtOnce } from "./several-at-once";

/** What a deleted add-on has left in its data home. */
export interface DeletedCatalog extends Omit<CatalogSummary, "name"> {
  /** The add-on's, as far as the catalog's name tells. */
  readonly addon: string;
  readonly catalog: string;
  /** The slot of the newest one that is known to be verified; absent: none is. */
  readonly newestVerified?: string;
}

export interface DeletedBackups {
  /** Where they lie: the destination of add-ons that name none. */
  readonly destination: string;
  /** By name. */
  readonly catalogs: readonly DeletedCatalog[];
}

/**
 * The backups of add-ons that are no longer there, by what lies in the data home's own destination; in any other one
 * nobody here knows which catalogs are whose. Absent where the data home was never used. Changes nothing.
 */
export async function backupsOfDeleted(platform: Platform, task: Task): Promise<DeletedBackups | undefined> {
  const home = await platform.home();
  if (home === undefined) return undefined;
  const destination = destinationIn(layoutOf(home.path), undefined);
  const names = await platform.names();
  const recorded = await severalAtOnce(names, (name) =>
    // One whose record can't be read is there all the same.
    platform.load(name).then(
      (record) => record?.catalogKey,
      () => undefined,
    ),
  );
  const present = new Set([...recorded, ...names.map((name) => catalogKeyOf(name, home.id))]);
  const ending = catalogKeyOf("", home.id);
  const { listCatalogs, readCatalog } = await import("../backup/catalog.js");
  try {
    const store = await openPlace({ destination });
    const left = (await listCatalogs(store, task.signal)).filter((catalog) => !present.has(catalog));
    const catalogs = await severalAtOnce(left, async (catalog) => {
      const { backups } = await readCatalog(store, catalog, task.signal);
      const [newest, verified] = [
        backups.at(-1)?.name,
        backups.findLast(({ verification, archives }) => verification === "verified" && archives.length > 0)
          ?.name,
      ];
      return {
        addon: catalog.endsWith(ending) ? catalog.slice(0, -ending.length) : catalog,
        ...{ catalog, backups: backups.length },
        ...(newest === undefined ? {} : { newest }),
        ...(verified === undefined ? {} : { newestVerified: verified }),
      };
    });
    return { destination, catalogs };
  } catch (error) {
    task.signal.throwIfAborted();
    throw asFailure(error, "list the backups in", destination);
  }
}
