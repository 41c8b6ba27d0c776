import { Failure } from "../../core/errors";
import type { AddonRecord } from "../../core/facets";
import { otherPolicy, policyExists } from "../../core/policy-exists";
import type { FacetChange } from "../../platforms/contract";

/** Two policies of one add-on would be set in turns, and removing either would end the other's. */
export function refuseSecondPolicy({ name, backups }: AddonRecord, change: FacetChange): void {
  if (change.facet !== "backups" || change.wish === undefined || change.claim.kind !== "create") return;
  const other = otherPolicy(backups?.urn, change.claim.caller);
  if (other === undefined) return;
  throw new Failure({
    code: "policy-exists",
    operation: "set the backups of",
    subject: name,
    ...policyExists(other),
  });
}
