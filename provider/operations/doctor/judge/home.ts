import { forShell } from "../../../core/for-shell";
import { some } from "../../words/shared-words";
import { type Check, notApplicable, ok, problem, warning } from "../check";
import type { OurCommand } from "../our-command";

export interface SeenPath {
  readonly path: string;
  /** The permission bits alone. */
  readonly mode: number;
  readonly owner: number;
}

/** Of the data home: folders and the files that hold passwords. Empty: it isn't made yet. */
export function judgePermissions(root: string, user: number, seen: readonly SeenPath[]): Check {
  if (seen.length === 0) return notApplicable("permissions", `${root} is not made yet`);
  // To take it over would leave its own user's agent without its files.
  if (seen.some(({ path, owner }) => path === root && owner !== user))
    return notApplicable("permissions", `${root} is another user's`);
  const foreign = seen.filter(({ owner }) => owner !== user);
  if (foreign.length > 0)
    return problem("permissions", `not this user's: ${some(foreign.map(({ path }) => path))}`, {
      why: "the agent can't read or replace them",
      remedy: `sudo chown -R ${user} ${forShell(root)}`,
    });
  const open = seen.filter(({ mode }) => (mode & 0o077) !== 0);
  if (open.length === 0) return ok("permissions", `${root} is open to this user alone`);
  const described = open.map(({ path, mode }) => `${path} (0${mode.toString(8)})`);
  return problem("permissions", `open to other users: ${some(described)}`, {
    why: "passwords of the add-ons lie below it",
    remedy: `chmod -R go= ${forShell(root)}`,
  });
}

/** `unusable`: why it can't be one, a clause; absent: it can. */
export function judgePlace(root: string, unusable: string | undefined): Check {
  if (unusable === undefined) return ok("data-home", root);
  return problem("data-home", unusable, {
    why: "nothing can be made or changed there",
    remedy: "name another one with --home, REDIS_ADDON_HOME or platform.dataHome",
  });
}

export interface SeenJobs {
  readonly command: OurCommand;
  readonly agentRuns: boolean;
  /** Since what lies in the folder of jobs was last touched, each. */
  readonly agesMs: readonly number[];
}

const LONG_MS = 24 * 3_600_000;

/** What a backup or restore keeps on the disk while it is under way. */
export function judgeJobs({ command, agentRuns, agesMs }: SeenJobs): Check {
  if (agesMs.length === 0) return ok("jobs", "none is under way, and none left anything behind");
  const count = `${agesMs.length} ${agesMs.length === 1 ? "job" : "jobs"}`;
  if (!agentRuns)
    return warning("jobs", `${count}, and no agent`, {
      why: "what they keep on the disk is cleared away by an agent alone",
      remedy: command("agent start"),
    });
  if (Math.max(...agesMs) < LONG_MS) return ok("jobs", `${count} under way`);
  return warning(
    "jobs",
    `${count}, the oldest untouched for ${Math.round(Math.max(...agesMs) / 3_600_000)} h`,
    {
      why: "it may be stuck, and keeps its part of the disk",
      remedy: `${command("agent stop --keep-servers")} && ${command("agent start")}`,
    },
  );
}
