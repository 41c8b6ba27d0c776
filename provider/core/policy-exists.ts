/** Who asks, as a claim says it. */
interface Asking {
  readonly project: string;
  readonly stack: string;
  readonly urn?: string;
}

/**
 * The URN of the resource whose backup policy a new one would take the place of; absent: there is none. One that another
 * stack recorded is no rival: only the add-on's owner gets this far, so that the add-on was handed over, or the stack or
 * project was renamed, since. Old versions recorded no URN.
 */
export function otherPolicy(recorded: string | undefined, asking: Asking): string | undefined {
  if (recorded === undefined || asking.urn === undefined || recorded === asking.urn) return undefined;
  return recorded.startsWith(`urn:pulumi:${asking.stack}::${asking.project}::`) ? recorded : undefined;
}

/** Why an add-on can't have a second one, and what to do. */
export function policyExists(other: string): { readonly cause: string; readonly hint: string } {
  const name = nameOf(other);
  return {
    cause: `it has a backup policy already, the resource ${name} (${other}), and an add-on has one`,
    // By its whole URN: it may have had another parent.
    hint:
      `Change that one, or remove it first; if it is this one under an earlier name, say so with the resource option ` +
      `aliases: ["${other}"]; if no state holds ${name} any more, declare the policy once more as it was`,
  };
}

/** A resource's own name may hold "::", too. */
function nameOf(urn: string): string {
  return urn.split("::").slice(3).join("::");
}
