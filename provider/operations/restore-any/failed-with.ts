import { Failure } from "../../core/errors";
import { forShell } from "../../core/for-shell";
import type { Left } from "../../redis/restore-into/leave";
import type { AnyBackup } from "../backup-any";
import type { SafetyPlace } from "./safety";

/** The backup of what a target held, and where it lies. */
interface TakenBefore {
  readonly place: SafetyPlace;
  readonly backup: AnyBackup;
}

/** What failed, how the target was left, and what to do. The code `target-broken` alone says that a person has to. */
export function failedWith(
  error: unknown,
  subject: string,
  left: Left,
  taken: TakenBefore | undefined,
): Failure {
  const failure =
    error instanceof Failure
      ? error
      : new Failure({
          code: "interrupted",
          operation: "restore into",
          subject,
          cause: error instanceof Error ? error.message : String(error),
        });
  const isWell = left.state === "as-before" || left.state === "replaced";
  const back =
    left.state === "as-before" || taken === undefined
      ? ""
      : `What it held is in backup ${taken.backup.slot}: redis-addon backup restore ${taken.place.name} ${taken.backup.slot} --store ${forShell(taken.place.destination)} --to …`;
  return new Failure({
    code: isWell ? failure.code : "target-broken",
    operation: "restore into",
    subject,
    cause: `${failure.cause}; ${left.words}`,
    hint: [left.hint === "" && left.state === "as-before" ? failure.hint : left.hint, back]
      .filter((text) => text !== "")
      .join(". "),
    transient: isWell && failure.transient,
  });
}
