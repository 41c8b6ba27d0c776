import { Failure } from "../core/errors";
import type { Catalog, ListedBackup } from "./catalog";

const NEWEST_TOLD = 10;

/**
 * The backup that somebody means: a slot as names spell it or an unambiguous beginning of one (`20260501`), `latest`,
 * or `latest-verified`. Fails with `no-such-backup` or `ambiguous-backup`, telling what there is. `folder` is the
 * catalog's URL, for messages.
 */
export function findBackup(catalog: Catalog, wanted: string, folder: string): ListedBackup {
  const { backups } = catalog;
  const fits =
    wanted === "latest"
      ? backups.slice(-1)
      : wanted === "latest-verified"
        ? backups.filter(({ verification }) => verification === "verified").slice(-1)
        : // A slot's name begins with its year: nothing shorter can be meant.
          backups.filter(({ name }) => /^\d{4}/.test(wanted) && name.startsWith(wanted));
  const [fit, ...others] = fits;
  if (fit === undefined) throw noSuchBackup("find", wanted, folder, catalog);
  if (others.length === 0) return fit;
  throw new Failure({
    code: "ambiguous-backup",
    operation: "find",
    subject: `backup ${wanted} in ${folder}`,
    cause: `${fits.length} backups begin so: ${named(fits)}`,
    hint: "Write more of its name",
  });
}

export function noSuchBackup(
  operation: string,
  wanted: string,
  folder: string,
  { backups }: Catalog,
): Failure {
  const isVerified = backups.some(({ verification }) => verification === "verified");
  return new Failure({
    code: "no-such-backup",
    operation,
    subject: `backup ${wanted} in ${folder}`,
    cause:
      backups.length === 0
        ? "there are no backups"
        : wanted === "latest-verified" && !isVerified
          ? "none of the backups is verified"
          : "there is no such backup",
    hint: backups.length === 0 ? "" : `There are: ${named(backups)}`,
  });
}

/** The newest of them, newest first. */
function named(backups: readonly ListedBackup[]): string {
  const names = backups.slice(-NEWEST_TOLD).map(({ name }) => name);
  const more = backups.length - names.length;
  return `${names.toReversed().join(", ")}${more > 0 ? ` and ${more} older` : ""}`;
}
