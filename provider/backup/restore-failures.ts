import { Failure } from "../core/errors";
import type { RestoreProblem } from "../core/restore-fit";

export function damagedBackup(subject: string, why: string): Failure {
  return new Failure({
    code: "backup-damaged",
    operation: "restore",
    subject,
    cause: why,
    hint: "Restore another backup: redis-addon backup list shows them",
  });
}

/** What reading an archive fails with where the archive itself is at fault. */
export function isDamage(error: unknown): error is Failure {
  return error instanceof Failure && ["archive-damaged", "archive-truncated"].includes(error.code);
}

export function problemFailure(subject: string, { code, cause, hint }: RestoreProblem): Failure {
  return new Failure({ code, operation: "restore", subject, cause, hint });
}
