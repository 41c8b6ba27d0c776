import { Failure } from "../../core/errors";
import type { AddonRecord } from "../../core/facets";
import { adopted, standing, type Instance } from "../../core/instance";
import type { HomeIdentity } from "../../core/status";
import type { Caller, Claim } from "../../platforms/contract";

/** The instance that a facet has once a call under this claim has changed it. */
export function claimed(existing: Instance | undefined, claim: Claim): Instance | "stale" {
  // No state carries a token that nobody was given, so that a declaration of it later takes over.
  if (claim.kind === "person") return existing ?? { token: "", confirmed: false };
  if (claim.kind === "create") return adopted(existing, claim.token);
  // A facet that went back to its default has no instance; the state that still carries one may set it anew.
  if (existing === undefined) return { token: claim.token, confirmed: true };
  const verdict = standing(existing, claim.token);
  return verdict.kind === "stale" ? "stale" : verdict.instance;
}

/**
 * The same of a call that returns a facet to its default, which only the token in force may: a replacement deletes what
 * it replaces last, by the token from before, and must not end what it has just made anew.
 */
export function ended(existing: Instance | undefined, claim: Claim): Instance | "stale" {
  const isReplaced =
    claim.kind === "carry" && existing !== undefined && standing(existing, claim.token).kind === "previous";
  return isReplaced ? "stale" : claimed(existing, claim);
}

export function callerOf(claim: Claim): Caller | undefined {
  return claim.kind === "person" ? undefined : claim.caller;
}

/** Two stacks with one add-on would change it in turns, and either's destroy would take the other's data. */
export function refuseForeign(record: AddonRecord, claim: Claim): void {
  if (claim.kind !== "create") return;
  const { project, stack } = claim.caller;
  if (record.owner.project === project && record.owner.stack === stack) return;
  const [theirs, ours] = [`${record.owner.project}/${record.owner.stack}`, `${project}/${stack}`];
  throw new Failure({
    code: "foreign-owner",
    operation: "create",
    subject: record.name,
    cause: `an add-on of that name was made by the stack ${theirs}, and this is ${ours}`,
    hint: `Choose another name, or hand it over: redis-addon hand-over ${record.name} --to ${ours}`,
  });
}

export function noSuchAddon(name: string, home: HomeIdentity): Failure {
  return new Failure({
    code: "no-such-addon",
    operation: "find the add-on",
    subject: name,
    cause: `the data home ${home.path} on ${home.host} has none of that name`,
    hint: "See what there is: redis-addon list",
  });
}
