import { type Check, notApplicable, ok, problem } from "../check";
import { counted } from "./program";

/** What keeps an add-on's server from running as recorded; absent: it runs. */
export interface SeenAddon {
  readonly addon: string;
  readonly trouble?: string;
}

/** One check for each that has trouble, or one for all. `unreadable`: of those whose record can't be read, why. */
export function judgeAddons(seen: readonly SeenAddon[], unreadable: readonly string[]): Check[] {
  const broken = unreadable.map((message) =>
    problem("add-ons", message, {
      why: "nobody starts, changes or backs up an add-on whose record can't be read",
      remedy: "use the version of pulumi-redis-addon that wrote it, or a newer one",
    }),
  );
  const down = seen.flatMap(({ addon, trouble }) =>
    trouble === undefined
      ? []
      : [
          problem("add-ons", `${addon}: ${trouble}`, {
            why: "its server does not run as recorded",
            remedy: `redis-addon info ${addon}`,
          }),
        ],
  );
  if (broken.length + down.length > 0) return [...broken, ...down];
  if (seen.length === 0) return [notApplicable("add-ons", "there are none")];
  return [ok("add-ons", `${counted(seen.length)}, each with its server`)];
}

/** How an add-on's backups are; `trouble` absent: fresh. */
export interface SeenBackups {
  readonly addon: string;
  readonly trouble?: string;
}

export function judgeBackups(seen: readonly SeenBackups[]): Check[] {
  const bad = seen.flatMap(({ addon, trouble }) =>
    trouble === undefined
      ? []
      : [
          problem("backups", `${addon}: ${trouble}`, {
            why: "what is written since the last good backup is lost with the disk",
            remedy: `redis-addon backup run ${addon}`,
          }),
        ],
  );
  if (bad.length > 0) return bad;
  if (seen.length === 0) return [notApplicable("backups", "there are no add-ons")];
  return [ok("backups", `fresh: ${counted(seen.length)}`)];
}
