import { Failure } from "../../core/errors";
import type { RestoreProblem } from "../../core/restore-fit";

export function damagedBackup(subject: string, why: string): Failure {
  return new Failure({
    code: "backup-damaged",
    operation: "restore",
    subject,
    cause: why,
    hint: "Restore another backup: redis-addon backup list shows them",
  });
}

export function problemFailure(subject: string, { code, cause, hint }: RestoreProblem): Failure {
  return new Failure({ code, operation: "restore", subject, cause, hint });
}
