import { shared, some } from "../../words/shared-words";
import { type Check, notApplicable, ok, problem } from "../check";
import type { OurCommand } from "../our-command";
import { counted } from "./program";

/** What keeps an add-on's server from running as recorded; absent: it runs. */
export interface SeenAddon {
  readonly addon: string;
  readonly trouble?: string;
}

interface Circumstances {
  readonly command: OurCommand;
  readonly agentRuns: boolean;
}

/** One check for each trouble, which many may share, or one for all. `unreadable`: of those whose record can't be read, why. */
export function judgeAddons(
  seen: readonly SeenAddon[],
  unreadable: readonly string[],
  { command, agentRuns }: Circumstances,
): Check[] {
  const broken = unreadable.map((message) =>
    problem("add-ons", message, {
      why: "nobody starts, changes or backs up an add-on whose record can't be read",
      remedy: "use the version of pulumi-redis-addon that wrote it, or a newer one",
    }),
  );
  const down = troubles(seen).map(({ text, addons }) => {
    const isOne = addons.length === 1;
    return problem("add-ons", `${some(addons)}: ${text}`, {
      why: isOne ? "its server does not run as recorded" : "their servers do not run as recorded",
      // Before an agent has tried to start it nothing else is known of it.
      remedy: agentRuns ? forEach(addons, (addon) => command(`info ${addon}`)) : command("agent start"),
    });
  });
  if (broken.length + down.length > 0) return [...broken, ...down];
  if (seen.length === 0) return [notApplicable("add-ons", "there are none")];
  return [ok("add-ons", `${counted(seen.length)}, each with its server`)];
}

/** How an add-on's backups are; `trouble` absent: fresh. */
export interface SeenBackups {
  readonly addon: string;
  readonly trouble?: string;
}

export function judgeBackups(seen: readonly SeenBackups[], command: OurCommand): Check[] {
  const bad = troubles(seen).map(({ text, addons }) =>
    problem("backups", `${some(addons)}: ${text}`, {
      why: "what is written since the last good backup is lost with the disk",
      remedy: forEach(addons, (addon) => command(`backup run ${addon}`)),
    }),
  );
  if (bad.length > 0) return bad;
  if (seen.length === 0) return [notApplicable("backups", "there are no add-ons")];
  return [ok("backups", `fresh: ${counted(seen.length)}`)];
}

function troubles(seen: readonly { readonly addon: string; readonly trouble?: string }[]) {
  return shared(seen.flatMap(({ addon, trouble: text }) => (text === undefined ? [] : [{ addon, text }])));
}

function forEach(addons: readonly string[], commandOf: (addon: string) => string): string {
  const [first = "", ...others] = addons;
  return others.length === 0 ? commandOf(first) : `${commandOf(first)}   # then the same for the others`;
}
