import { catalogKeyOf } from "../../core/catalog-key";
import { Failure } from "../../core/errors";
import { destinationIn, layoutOf } from "../../platforms/local/home";
import type { Platform } from "../../platforms/contract";
import { type BackupPlace, placeOf } from "../backup-place";
import { noSuchAddon } from "../no-such-addon";

/** Where the backups of an add-on lie that may be gone by now. */
export interface AddonBackups {
  readonly place: BackupPlace;
  /** What is said where there are none. */
  readonly none: () => Promise<Failure>;
}

/**
 * By its record; of one that was deleted, the data home's own place, where its backups are unless it had a policy that
 * named another one: which, nobody knows any more. Looks into no store.
 */
export async function backupsOfAddon(platform: Platform, name: string): Promise<AddonBackups> {
  const home = await platform.home();
  if (home === undefined || (await platform.placement(name)) !== undefined) {
    const place = await placeOf({ kind: "addon", platform, name });
    return { place, none: () => Promise.resolve(noBackups(place)) };
  }
  const destination = destinationIn(layoutOf(home.path), undefined);
  const catalogKey = catalogKeyOf(name, home.id);
  return {
    place: { name, destination, catalogKey },
    none: () =>
      noSuchAddon(
        platform,
        name,
        `If it was deleted, and its backups went elsewhere, name their catalog: a URL that ends in /${catalogKey}`,
      ),
  };
}

function noBackups({ name, destination, catalogKey }: BackupPlace): Failure {
  return new Failure({
    code: "no-such-backup",
    operation: "find a backup of",
    subject: name,
    cause: `there are none in ${destination}, where its catalog is ${catalogKey}`,
    hint: `Take one first: redis-addon backup run ${name}`,
  });
}
