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

export const EXIT_CODES_HELP = `
Exit codes:
  0    done
  1    failed; standard error says what, why and what to do
  2    wrong usage
  3    no such add-on, catalog or backup
  4    a backup is damaged
  5    nothing is wrong with the backup as far as could be seen, but no server here loads it (backup verify alone)
  6    not in sync now, which may come by itself (follower status alone)
  7    broken: no waiting helps, the output says why and what to do (follower status alone)
  8    it is a leader, so there is nothing to be in sync with (follower status alone)
  9    backups are failing or overdue (backup status alone)
  10   a Redis that was to be restored could not be left whole; standard error says what to do (backup restore alone)
  11   this machine or its add-ons have a problem, the output says which (doctor alone)
  130  ended by Ctrl-C, 143 by SIGTERM`;

const CODES: Readonly<Record<string, ExitCode>> = {
  "wrong-usage": EXIT.wrongUsage,
  "unsupported-destination": EXIT.wrongUsage,
  "ambiguous-backup": EXIT.wrongUsage,
  "rules-needed": EXIT.wrongUsage,
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
