import { Failure } from "../core/errors";
import type { AddonRecord } from "../core/facets";
import type { Applied } from "../platforms/contract";

/** The record of a change that had to be made; where it wasn't, the Failure that says why. */
export function recordOf(applied: Applied, operation: string, subject: string): AddonRecord {
  if (applied.outcome === "applied") return applied.record;
  throw notDone(applied.outcome, operation, subject);
}

/** Why a platform did nothing of what had to be done. */
export function notDone(outcome: "stale" | "absent", operation: string, subject: string): Failure {
  return outcome === "stale"
    ? new Failure({
        code: "stale-instance",
        operation,
        subject,
        cause: "this state is older than the add-on: a newer one has taken it over since",
        hint: "Use the newer state; or take the add-on over, its data kept: `pulumi state delete` of this resource, then `pulumi up`",
      })
    : new Failure({
        code: "no-such-addon",
        operation,
        subject,
        cause: "there is no add-on of that name",
        hint: "See what there is: redis-addon list",
      });
}
