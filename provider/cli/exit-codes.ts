import type { BackupHealth } from "../core/backup-health";
import { Failure } from "../core/errors";
import type { FollowerStatus } from "../core/follower-status";
import type { VerificationOutcome } from "../core/verification";

/** What the command line's exit codes mean; a signal's is 128 and its number, 130 for Ctrl-C. */
export const EXIT = {
  done: 0,
  failed: 1,
  wrongUsage: 2,
  notFound: 3,
  damaged: 4,
  unproved: 5,
  notInSync: 6,
  broken: 7,
  leads: 8,
  notFresh: 9,
  targetBroken: 10,
  unsound: 11,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

interface Meaning {
  readonly code: number;
  readonly meaning: string;
  /** The commands that end with it, each alone or a group; absent: any. */
  readonly of?: readonly string[];
}

const MEANINGS: readonly Meaning[] = [
  { code: EXIT.done, meaning: "done" },
  { code: EXIT.failed, meaning: "failed; standard error says what, why and what to do" },
  { code: EXIT.wrongUsage, meaning: "wrong usage" },
  { code: EXIT.notFound, meaning: "no such add-on, catalog or backup" },
  { code: EXIT.damaged, meaning: "a backup is damaged", of: ["backup", "import-file"] },
  {
    code: EXIT.unproved,
    meaning: "nothing is wrong with the backup as far as could be seen, but no server here loads it",
    of: ["backup verify"],
  },
  {
    code: EXIT.notInSync,
    meaning: "not in sync now, which may come by itself",
    of: ["follower status"],
  },
  {
    code: EXIT.broken,
    meaning: "broken: no waiting helps, the output says why and what to do",
    of: ["follower status"],
  },
  {
    code: EXIT.leads,
    meaning: "it is a leader, so there is nothing to be in sync with",
    of: ["follower status"],
  },
  { code: EXIT.notFresh, meaning: "backups are failing or overdue", of: ["backup status"] },
  {
    code: EXIT.targetBroken,
    meaning: "a Redis that was to be restored could not be left whole; standard error says what to do",
    of: ["backup restore"],
  },
  {
    code: EXIT.unsound,
    meaning: "this machine or its add-ons have a problem, the output says which",
    of: ["doctor"],
  },
  { code: 130, meaning: "ended by Ctrl-C, 143 by SIGTERM" },
];

/** What a command's exit codes mean, for its help: of a group those of all its commands. `path`: `backup verify`. */
export function exitCodesHelp(path: string): string {
  const isPart = (whole: string, part: string) => whole === "" || `${part} `.startsWith(`${whole} `);
  const lines = MEANINGS.flatMap(({ code, meaning, of = [path] }) => {
    if (!of.some((one) => isPart(path, one) || isPart(one, path))) return [];
    const whose = of.some((one) => isPart(one, path)) ? "" : ` (${of.join(" and ")} alone)`;
    return [`  ${String(code).padEnd(3)}  ${meaning}${whose}`];
  });
  return ["", "Exit codes:", ...lines].join("\n");
}

const CODES: Readonly<Record<string, ExitCode>> = {
  "wrong-usage": EXIT.wrongUsage,
  "unsupported-destination": EXIT.wrongUsage,
  "ambiguous-backup": EXIT.wrongUsage,
  "rules-needed": EXIT.wrongUsage,
  "no-such-database": EXIT.wrongUsage,
  "no-such-addon": EXIT.notFound,
  "no-such-catalog": EXIT.notFound,
  "no-such-backup": EXIT.notFound,
  "backup-damaged": EXIT.damaged,
  "archive-damaged": EXIT.damaged,
  "archive-truncated": EXIT.damaged,
  "manifest-damaged": EXIT.damaged,
  "target-broken": EXIT.targetBroken,
};

/** The exit code of a command that failed with this. */
export function exitCodeOf(error: unknown): ExitCode {
  return (error instanceof Failure ? CODES[error.code] : undefined) ?? EXIT.failed;
}

const OUTCOMES: Readonly<Record<VerificationOutcome | "failed", ExitCode>> = {
  verified: EXIT.done,
  "structure-checked": EXIT.unproved,
  failed: EXIT.failed,
  damaged: EXIT.damaged,
};
/** What a person should look at first counts. */
const WORST_FIRST = ["damaged", "failed", "structure-checked", "verified"] as const;

/** The exit code of several verifications: that of the worst. */
export function exitCodeOfOutcomes(outcomes: readonly (VerificationOutcome | "failed")[]): ExitCode {
  return OUTCOMES[WORST_FIRST.find((outcome) => outcomes.includes(outcome)) ?? "verified"];
}

/** The exit code that tells a script how an add-on follows: 0 in sync alone. */
export function exitCodeOfFollower({ role, state }: Pick<FollowerStatus, "role" | "state">): ExitCode {
  if (role === "leader") return EXIT.leads;
  if (state === "synced") return EXIT.done;
  return state === "broken" ? EXIT.broken : EXIT.notInSync;
}

/** The exit code that tells a monitor how backups are: 0 where all are fresh. */
export function exitCodeOfBackups(all: readonly Pick<BackupHealth, "state">[]): ExitCode {
  return all.every(({ state }) => state === "fresh") ? EXIT.done : EXIT.notFresh;
}

/** A Failure for what was typed; its exit code is that of wrong usage. */
export function wrongUsage(subject: string, cause: string, hint = ""): Failure {
  return new Failure({ code: "wrong-usage", operation: "take", subject, cause, hint });
}
