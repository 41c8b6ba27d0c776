import { Failure } from "../../core/errors";
import type { AddonRecord } from "../../core/facets";
import type { Extracted } from "../../core/job";
import { planOf } from "../../core/plans";
import { databasesProblem } from "../../core/restore-fit";

/** What no manifest told beforehand: a server ends while it loads keys of a database that it hasn't. */
export function requireDatabases({ name, server }: AddonRecord, { counts }: Pick<Extracted, "counts">): void {
  const { databases } = planOf(server.wish.plan);
  const problem = databasesProblem(counts?.highestDatabase ?? 0, databases);
  if (problem === undefined) return;
  const { code, cause, hint } = problem;
  throw new Failure({ code, operation: "restore", subject: name, cause, hint });
}
