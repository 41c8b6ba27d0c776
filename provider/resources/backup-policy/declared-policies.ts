/** Which policy a run of the engine was asked about first, for each add-on. */
export interface DeclaredPolicies {
  /** The URN of another policy of that add-on; absent: this is the first. */
  other(home: string, addon: string, urn: string): string | undefined;
}

/**
 * Two resources that both are new find nothing recorded of each other. Kept by the handler: one process serves one run
 * and all its resources, and each makes a handler of its own.
 */
export function declaredPolicies(): DeclaredPolicies {
  const first = new Map<string, string>();
  return {
    other(home, addon, urn) {
      const key = JSON.stringify([home, addon]);
      const known = first.get(key);
      if (known === undefined) first.set(key, urn);
      return known === urn ? undefined : known;
    },
  };
}
