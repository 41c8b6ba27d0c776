import { Failure } from "../core/errors";
import { standing, type Instance } from "../core/instance";
import type { Hidden } from "../pulumi/hidden";
import { parseUrn } from "../pulumi/urn";
import type { Caller, Claim } from "../platforms/contract";

/** The engine's: a person's claim carries no token. */
type EngineClaim = Exclude<Claim, { kind: "person" }>;

/** Under which right a create, or an update of something that is gone, records its facet. */
export function createClaim(token: string, hidden: Hidden, subject: string): EngineClaim {
  const caller = callerOf(hidden);
  if (caller === undefined)
    throw new Failure({
      code: "urn-missing",
      operation: "create",
      subject,
      cause: "the hidden input `__urn` is missing or malformed",
      hint: "Declare it with the classes that pulumi-redis-addon exports",
    });
  return { kind: "create", token, caller };
}

function callerOf({ urn }: Hidden): Caller | undefined {
  const parsed = urn === undefined ? undefined : parseUrn(urn);
  if (urn === undefined || parsed === undefined) return undefined;
  return { project: parsed.project, stack: parsed.stack, urn };
}

/**
 * Under which right an update changes a facet: what is recorded is changed with the token of the state, what is gone
 * is made anew with a fresh one.
 */
export function updateClaim(
  recorded: Instance | undefined,
  tokens: { readonly carried: string; readonly fresh: string },
  hidden: Hidden,
  subject: string,
): EngineClaim {
  if (recorded === undefined) return createClaim(tokens.fresh, hidden, subject);
  const caller = callerOf(hidden);
  return { kind: "carry", token: tokens.carried, ...(caller === undefined ? {} : { caller }) };
}

/** How a state's token stands to what is recorded: `gone` and `taken-over` want an update, `stale` can't have one. */
export function instanceStanding(
  recorded: Instance | undefined,
  token: string,
): "in-force" | "gone" | "taken-over" | "stale" {
  if (recorded === undefined) return "gone";
  const { kind } = standing(recorded, token);
  return kind === "current" ? "in-force" : kind === "previous" ? "taken-over" : "stale";
}

/** Says in a preview already what an update could only find out. */
export function staleFailure(subject: string, urn: string | undefined): Failure {
  return new Failure({
    code: "stale-instance",
    operation: "compare",
    subject,
    cause: "another resource, or a newer state of this stack, has taken it over since this state was written",
    hint: `Run \`pulumi refresh\` to drop it from this stack's state${urn === undefined ? "" : `, or pulumi state delete '${urn}'`}`,
  });
}
