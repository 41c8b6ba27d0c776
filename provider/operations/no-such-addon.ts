import { Failure } from "../core/errors";
import { nearest } from "../core/nearest";
import type { Platform } from "../platforms/contract";

/** More names than that say less than the advice where to find all of them. */
const MOST_NAMED = 10;

/** Says what there is instead: the one that was probably meant, or all where they are few. */
export async function noSuchAddon(platform: Platform, name: string, hint: string): Promise<Failure> {
  const names = await platform.names();
  return new Failure({
    code: "no-such-addon",
    operation: "find the add-on",
    subject: name,
    cause: insteadOf(name, names),
    hint,
  });
}

function insteadOf(name: string, names: readonly string[]): string {
  if (names.length === 0) return "there is none at all in this data home";
  // A program's resource is called by the last part of the name alone.
  const resources = name === "" ? [] : names.filter((one) => one.endsWith(`-${name}`));
  const meant = resources.length > 0 ? resources.join(", ") : nearest(name, names);
  if (meant !== undefined) return `there is none of that name, but there is ${meant}`;
  if (names.length <= MOST_NAMED) return `there are only ${names.join(", ")}`;
  return `it is none of the ${names.length} there are: ${names.slice(0, MOST_NAMED).join(", ")} …`;
}
