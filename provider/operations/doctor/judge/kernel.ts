import { some } from "../../words/shared-words";
import { type Check, notApplicable, ok, problem, warning } from "../check";
import type { OurCommand } from "../our-command";

const NOT_LINUX = "a matter of Linux alone";

/** vm.overcommit_memory; absent: this is no Linux, or it can't be read. */
export function judgeOvercommit(value: string | undefined): Check {
  if (value === undefined) return notApplicable("overcommit", NOT_LINUX);
  const seen = `vm.overcommit_memory = ${value}`;
  if (value === "1") return ok("overcommit", seen);
  return warning("overcommit", seen, {
    why:
      value === "2"
        ? "a server forks for a snapshot (a backup, a follower that comes into sync, a rewrite of its file), and the kernel refuses that where all memory is promised already"
        : "a server forks for a snapshot (a backup, a follower that comes into sync, a rewrite of its file), and with large data the kernel may refuse that though memory is free",
    remedy:
      "echo 'vm.overcommit_memory = 1' | sudo tee /etc/sysctl.d/90-redis-addon.conf && sudo sysctl --system",
  });
}

/** The kernel's line, `always [madvise] never`; absent: it is no Linux, or has none. */
export function judgeHugePages(enabled: string | undefined): Check {
  const chosen = enabled === undefined ? undefined : (/\[(\w+)\]/.exec(enabled)?.[1] ?? enabled.trim());
  if (chosen === undefined) return notApplicable("huge-pages", NOT_LINUX);
  if (chosen !== "always") return ok("huge-pages", `transparent huge pages: ${chosen}`);
  // With them a write after a fork copies 2 MiB instead of 4 KiB.
  return ok(
    "huge-pages",
    "transparent huge pages: always; each server turns them off for itself (disable-thp, which no program can change)",
  );
}

export interface SeenBacklog {
  /** net.core.somaxconn; absent: this is no Linux. */
  readonly somaxconn: number | undefined;
  readonly addons: readonly { readonly addon: string; readonly backlog: number }[];
}

export function judgeBacklog({ somaxconn, addons }: SeenBacklog): Check {
  if (somaxconn === undefined) return notApplicable("backlog", NOT_LINUX);
  const wanted = Math.max(511, ...addons.map(({ backlog }) => backlog));
  const seen = `net.core.somaxconn = ${somaxconn}`;
  if (somaxconn >= wanted) return ok("backlog", `${seen}, at most ${wanted} are asked for`);
  return warning("backlog", `${seen}, and a server's tcp-backlog asks for ${wanted}`, {
    why: "of many clients that connect in the same moment some are turned away or wait for seconds",
    remedy: `echo 'net.core.somaxconn = ${wanted}' | sudo tee /etc/sysctl.d/91-redis-addon.conf && sudo sysctl --system`,
  });
}

export interface SeenFiles {
  readonly command: OurCommand;
  /** The hard limit of open files that servers inherit; absent: not told. */
  readonly limit: number | undefined;
  readonly addons: readonly { readonly addon: string; readonly maxclients: number }[];
}

/** What a server keeps for itself besides clients (its source: CONFIG_MIN_RESERVED_FDS). */
const OWN_FILES = 32;

export function judgeFiles({ command, limit, addons }: SeenFiles): Check {
  if (limit === undefined) return notApplicable("open-files", "the limit of open files is not told here");
  const short = addons.filter(({ maxclients }) => maxclients + OWN_FILES > limit);
  const seen = `at most ${limit} open files for a process`;
  if (short.length === 0) return ok("open-files", seen);
  const needed = Math.max(...short.map(({ maxclients }) => maxclients + OWN_FILES));
  return problem(
    "open-files",
    `${seen}, too few for the connections of ${some(short.map(({ addon }) => addon))}`,
    {
      why: "such a server takes fewer clients than its plan promises, and turns the others away",
      remedy: `raise the hard limit (nofile in /etc/security/limits.conf) to ${needed} or more, log in anew, then ${command("agent stop")} && ${command("agent start")}`,
    },
  );
}
