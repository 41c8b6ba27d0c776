import { createHash } from "node:crypto";

/** Leaves room for what Kubernetes and file names append. */
const LONGEST = 40;
const TAIL_DIGITS = 8;

/** Why a text can't be an add-on's name, with the remedy; absent when it can. */
export function nameProblem(name: string): string | undefined {
  if (name === "") return "the name is empty: give one such as `cache`, or leave it out to have one made";
  if (name.length > LONGEST)
    return `the name has ${name.length} characters, at most ${LONGEST} fit: shorten it or leave it out`;
  if (!/^[a-z0-9-]*$/.test(name))
    return "the name holds other characters than lower case letters, digits and hyphens: replace them by hyphens";
  if (!/^[a-z]/.test(name)) return "the name must begin with a letter: put one in front, such as `r-`";
  // A Kubernetes object couldn't bear such a name, and an add-on's name never changes with its platform.
  if (name.endsWith("-")) return "the name must end with a letter or a digit: drop the hyphen at its end";
  return undefined;
}

/**
 * The name of an add-on whose program gives none: `<project>-<stack>-<resource>`, the same on every call.
 *
 * It ends in a hash of the inputs wherever the plain form is not theirs alone: cut, made of other characters, or with a
 * hyphen in the stack's name (`prod` with `eu-cache` and `prod-eu` with `cache` would share one add-on, hence its
 * data). Hyphens in a project's name are too common to spoil every name for; an add-on belongs to one project, and its
 * record refuses another's.
 */
export function autoName(project: string, stack: string, resource: string): string {
  const wanted = `${project}-${stack}-${resource}`;
  const allowed = sanitised(wanted);
  if (allowed === wanted && nameProblem(allowed) === undefined && !stack.includes("-")) return allowed;
  const tail = createHash("sha256")
    .update(JSON.stringify([project, stack, resource]))
    .digest("hex")
    .slice(0, TAIL_DIGITS);
  const head = allowed.slice(0, LONGEST - TAIL_DIGITS - 1).replace(/-+$/, "");
  return `${head}-${tail}`;
}

function sanitised(text: string): string {
  const allowed = text
    .toLowerCase()
    .replace(/[^a-z0-9-]+/g, "-")
    .replace(/^-+|-+$/g, "");
  if (allowed === "") return "addon";
  return /^[a-z]/.test(allowed) ? allowed : `r-${allowed}`;
}
