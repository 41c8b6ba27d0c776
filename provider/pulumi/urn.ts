/** What a URN says: `urn:pulumi:<stack>::<project>::<qualified type>::<name>`. */
export interface ParsedUrn {
  readonly project: string;
  readonly stack: string;
  readonly type: string;
  readonly name: string;
}

export function parseUrn(urn: string): ParsedUrn | undefined {
  const [head = "", project = "", type = "", ...name] = urn.split("::");
  const stack = head.startsWith("urn:pulumi:") ? head.slice("urn:pulumi:".length) : "";
  if (stack === "" || project === "" || type === "" || name.length === 0) return undefined;
  // A resource's own name may hold "::", a project's and a stack's can't.
  return { project, stack, type, name: name.join("::") };
}
