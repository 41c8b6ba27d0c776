import { type Check, notApplicable, ok, problem, warning } from "../check";

export interface SeenClock {
  /** Whether the system says that its clock is kept in time; absent: it doesn't say. */
  readonly synchronised: boolean | undefined;
  /** How far each store's clock is ahead of this one. */
  readonly stores: readonly { readonly url: string; readonly aheadMs: number }[];
  /** How far in the future the newest of our own files was written; 0: none was. */
  readonly futureMs: number;
}

/** A look over a network is that inexact. */
const INEXACT_MS = 10_000;
/** Amazon's S3 refuses requests that are off by a quarter of an hour. */
const REFUSED_MS = 15 * 60_000;

export function judgeClock({ synchronised, stores, futureMs }: SeenClock): Check {
  const worst = [...stores].sort((a, b) => Math.abs(b.aheadMs) - Math.abs(a.aheadMs))[0];
  const off = Math.abs(worst?.aheadMs ?? 0);
  const remedy = "sudo timedatectl set-ntp true   # or any other NTP client";
  if (worst !== undefined && off > INEXACT_MS) {
    const seen = `it differs from that of ${worst.url} by ${Math.round(off / 1000)} s`;
    if (off >= REFUSED_MS / 2)
      return problem("clock", seen, {
        why: "stores refuse requests of a clock that is a quarter of an hour off",
        remedy,
      });
    return warning("clock", seen, {
      why: "backups are taken, and grow old, at other times than were said",
      remedy,
    });
  }
  if (futureMs > INEXACT_MS)
    return warning(
      "clock",
      `files of the data home are from the future, by ${Math.round(futureMs / 1000)} s`,
      {
        why: "the clock was set back: until it catches up, backups count as newer than they are",
        remedy,
      },
    );
  if (synchronised === false)
    return warning("clock", "the system says that nothing keeps it in time", {
      why: "backups are named and grow old by it, and stores refuse requests of one that is far off",
      remedy,
    });
  if (synchronised === undefined && worst === undefined)
    return notApplicable("clock", "whether anything keeps it in time is not told here");
  return ok("clock", synchronised === true ? "kept in time" : "in time with the stores of the backups");
}
