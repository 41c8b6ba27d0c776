import { Failure } from "./errors";

/** A change of one of an add-on's inputs that can't be made; nothing was touched. */
export function changeRefused(
  name: string,
  property: string,
  { cause, hint }: { readonly cause: string; readonly hint: string },
): Failure {
  return new Failure({
    code: "change-refused",
    operation: `change the ${property} of`,
    subject: name,
    cause,
    hint,
  });
}
